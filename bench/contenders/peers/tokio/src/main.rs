//! peer:tokio: a task for each connection on the current thread's runtime. A task reads again when
//! its write has completed, so at most one read per connection is in memory.
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::signal::unix::{signal, SignalKind};
use tokio::sync::watch;

const READ_BUFFER_BYTES: usize = 16 * 1024;
const BACKLOG: u32 = 4096;

#[derive(Default)]
struct Counters {
    received: Cell<u64>,
    sent: Cell<u64>,
    accepted: Cell<u64>,
    closed: Cell<u64>,
}

fn add(counter: &Cell<u64>, amount: usize) {
    counter.set(counter.get() + amount as u64);
}

async fn echo(mut stream: TcpStream, counters: &Counters) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = vec![0; READ_BUFFER_BYTES];
    loop {
        let size = stream.read(&mut bytes).await?;
        if size == 0 {
            return Ok(());
        }
        add(&counters.received, size);
        let mut rest = &bytes[..size];
        while !rest.is_empty() {
            let sent = stream.write(rest).await?;
            add(&counters.sent, sent);
            rest = &rest[sent..];
        }
    }
}

async fn serve(counters: Rc<Counters>) -> io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(([127, 0, 0, 1], 0).into())?;
    let listener = socket.listen(BACKLOG)?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (end, ended) = watch::channel(false);
    let port = listener.local_addr()?.port();
    println!(r#"{{"event":"ready","port":{port},"pid":{}}}"#, std::process::id());
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        };
        let Ok((stream, _)) = accepted else {
            // No descriptor is left: try again a little later.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        add(&counters.accepted, 1);
        let (counters, mut ended) = (counters.clone(), ended.clone());
        tokio::task::spawn_local(async move {
            tokio::select! {
                _ = echo(stream, &counters) => (),
                _ = ended.changed() => (),
            }
            add(&counters.closed, 1);
        });
    }
    drop(ended);
    let _ = end.send(true);
    end.closed().await; // every task has dropped its receiver
    Ok(())
}

fn main() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let counters = Rc::new(Counters::default());
    tokio::task::LocalSet::new().block_on(&runtime, serve(counters.clone()))?;
    println!(
        r#"{{"event":"counters","bytesReceived":{},"bytesSent":{},"connectionsAccepted":{},"connectionsClosed":{}}}"#,
        counters.received.get(),
        counters.sent.get(),
        counters.accepted.get(),
        counters.closed.get()
    );
    Ok(())
}
