// Exact calls and bytes of a server under test, printed when it ends and whenever SIGUSR2 asks. The
// same names as in native/echo_server/report.cc.

export class CallCounters {
  waitCalls = 0;
  eventsReturned = 0;
  recvCalls = 0;
  sendCalls = 0;
  acceptCalls = 0;
  /** Changes of what a set in the kernel watches: epoll_ctl(2). */
  controlCalls = 0;
  /** Looks at a descriptor on which nothing could be done, by the kernel or by the server. */
  vainLooks = 0;
  bytesReceived = 0;
  bytesSent = 0;
  connectionsAccepted = 0;
  connectionsClosed = 0;
  peakConnections = 0;

  countAccepted(): void {
    this.connectionsAccepted++;
    this.peakConnections = Math.max(
      this.peakConnections,
      this.connectionsAccepted - this.connectionsClosed,
    );
  }

  /** Another process's: its peak counts as if all had theirs at the same time. */
  add(others: Readonly<CallCounters>): void {
    for (const name of Object.keys(this) as (keyof CounterValues)[]) this[name] += others[name];
  }
}

type CounterValues = {
  [K in keyof CallCounters as CallCounters[K] extends number ? K : never]: number;
};
