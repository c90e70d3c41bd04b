// peer:java-nio: a Selector of java.nio. A connection with unsent bytes is watched for writing and
// not for reading.
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import sun.misc.Signal;

final class JavaNio {
  private static final int READ_BUFFER_BYTES = 16 * 1024;
  private static final int BACKLOG = 4096;
  private static final int ACCEPTS_PER_WAKE = 256;

  private final Selector selector = Selector.open();
  private final ServerSocketChannel listener = ServerSocketChannel.open();
  private final ByteBuffer bytes = ByteBuffer.allocateDirect(READ_BUFFER_BYTES);
  private volatile boolean running = true;
  private long received, sent, accepted, closed;

  private JavaNio() throws IOException {
    listener.bind(new InetSocketAddress("127.0.0.1", 0), BACKLOG);
    listener.configureBlocking(false);
    listener.register(selector, SelectionKey.OP_ACCEPT);
  }

  public static void main(String[] arguments) throws IOException {
    JavaNio server = new JavaNio();
    for (String name : new String[] {"TERM", "INT"}) {
      Signal.handle(new Signal(name), signal -> server.stop());
    }
    int port = ((InetSocketAddress) server.listener.getLocalAddress()).getPort();
    long pid = ProcessHandle.current().pid();
    System.out.printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}%n", port, pid);
    server.run();
    System.out.printf(
        "{\"event\":\"counters\",\"bytesReceived\":%d,\"bytesSent\":%d,"
            + "\"connectionsAccepted\":%d,\"connectionsClosed\":%d}%n",
        server.received, server.sent, server.accepted, server.closed);
  }

  private void stop() {
    running = false;
    selector.wakeup();
  }

  private void run() throws IOException {
    while (running) selector.select(this::handle);
    for (SelectionKey key : selector.keys()) {
      if (key.channel() instanceof SocketChannel) close(key);
    }
    listener.close();
    selector.close();
  }

  private void handle(SelectionKey key) {
    if (key.isAcceptable()) {
      accept();
      return;
    }
    try {
      serve(key);
    } catch (IOException reset) {
      close(key);
    }
  }

  private void accept() {
    try {
      for (int i = 0; i < ACCEPTS_PER_WAKE; i++) {
        SocketChannel connection = listener.accept();
        if (connection == null) return;
        accepted++;
        connection.configureBlocking(false);
        connection.setOption(StandardSocketOptions.TCP_NODELAY, true);
        connection.register(selector, SelectionKey.OP_READ);
      }
    } catch (IOException full) {
      pause(); // no descriptor is left
    }
  }

  /** The listener stays ready while no descriptor is left: a short sleep in place of a spin. */
  private static void pause() {
    try {
      Thread.sleep(10);
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  private void serve(SelectionKey key) throws IOException {
    SocketChannel connection = (SocketChannel) key.channel();
    ByteBuffer unsent = (ByteBuffer) key.attachment();
    if (unsent != null) {
      sent += connection.write(unsent);
      if (unsent.hasRemaining()) return;
      key.attach(null);
      key.interestOps(SelectionKey.OP_READ);
      return;
    }
    bytes.clear();
    int size = connection.read(bytes);
    if (size < 0) {
      close(key);
      return;
    }
    received += size;
    bytes.flip();
    sent += connection.write(bytes);
    if (!bytes.hasRemaining()) return;
    key.attach(ByteBuffer.allocate(bytes.remaining()).put(bytes).flip());
    key.interestOps(SelectionKey.OP_WRITE);
  }

  private void close(SelectionKey key) {
    key.cancel();
    try {
      key.channel().close();
    } catch (IOException reset) {
      // Closed all the same.
    }
    closed++;
  }
}
