// peer:java-virtual-threads: a virtual thread for each connection (Java 21, JEP 444). Its write
// waits for the peer, so at most one read per connection is in memory.
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import sun.misc.Signal;

final class JavaVirtualThreads {
  private static final int READ_BUFFER_BYTES = 16 * 1024;
  private static final int BACKLOG = 4096;

  private final ServerSocket listener =
      new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final LongAdder received = new LongAdder();
  private final LongAdder sent = new LongAdder();
  private final LongAdder accepted = new LongAdder();
  private final LongAdder closed = new LongAdder();

  private JavaVirtualThreads() throws IOException {}

  public static void main(String[] arguments) throws Exception {
    JavaVirtualThreads server = new JavaVirtualThreads();
    for (String name : new String[] {"TERM", "INT"}) {
      Signal.handle(new Signal(name), signal -> close(server.listener));
    }
    System.out.printf(
        "{\"event\":\"ready\",\"port\":%d,\"pid\":%d}%n",
        server.listener.getLocalPort(), ProcessHandle.current().pid());
    server.run();
    System.out.printf(
        "{\"event\":\"counters\",\"bytesReceived\":%d,\"bytesSent\":%d,"
            + "\"connectionsAccepted\":%d,\"connectionsClosed\":%d}%n",
        server.received.sum(), server.sent.sum(), server.accepted.sum(), server.closed.sum());
  }

  private void run() throws InterruptedException {
    while (!listener.isClosed()) {
      try {
        Socket connection = listener.accept();
        accepted.increment();
        open.add(connection);
        threads.submit(() -> serve(connection));
      } catch (IOException full) {
        if (!listener.isClosed()) Thread.sleep(100); // no descriptor is left
      }
    }
    for (Socket connection : open) close(connection);
    threads.shutdown();
    threads.awaitTermination(5, TimeUnit.SECONDS);
  }

  private void serve(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      InputStream input = connection.getInputStream();
      OutputStream output = connection.getOutputStream();
      byte[] bytes = new byte[READ_BUFFER_BYTES];
      for (int size = input.read(bytes); size >= 0; size = input.read(bytes)) {
        received.add(size);
        output.write(bytes, 0, size);
        sent.add(size);
      }
    } catch (IOException reset) {
      // By the peer, or by the end of this server.
    } finally {
      open.remove(connection);
      closed.increment();
    }
  }

  private static void close(AutoCloseable what) {
    try {
      what.close();
    } catch (Exception closed) {
      // Closed all the same.
    }
  }
}
