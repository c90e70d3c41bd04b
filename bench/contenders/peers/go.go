// peer:go: a goroutine for each connection. Its Write waits for the peer, so at most one read per
// connection is in memory. The package net sets TCP_NODELAY and a backlog of somaxconn by itself.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const readBufferBytes = 16 * 1024

var received, sent, accepted, closed uint64

// Open connections, so that the end of the server closes them.
type registry struct {
	sync.Mutex
	open  map[net.Conn]struct{}
	ended bool
	tasks sync.WaitGroup
}

func (r *registry) add(connection net.Conn) bool {
	r.Lock()
	defer r.Unlock()
	if r.ended {
		return false
	}
	r.open[connection] = struct{}{}
	r.tasks.Add(1)
	return true
}

func (r *registry) remove(connection net.Conn) {
	r.Lock()
	delete(r.open, connection)
	r.Unlock()
	connection.Close()
	atomic.AddUint64(&closed, 1)
	r.tasks.Done()
}

func (r *registry) end() {
	r.Lock()
	r.ended = true
	for connection := range r.open {
		connection.Close()
	}
	r.Unlock()
	r.tasks.Wait()
}

func echo(connection net.Conn) {
	bytes := make([]byte, readBufferBytes)
	for {
		size, err := connection.Read(bytes)
		atomic.AddUint64(&received, uint64(size))
		if err != nil {
			return
		}
		written, err := connection.Write(bytes[:size])
		atomic.AddUint64(&sent, uint64(written))
		if err != nil {
			return
		}
	}
}

func accept(listener net.Listener, connections *registry) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			if temporary, ok := err.(net.Error); ok && temporary.Temporary() {
				time.Sleep(100 * time.Millisecond) // no descriptor is left
				continue
			}
			return
		}
		atomic.AddUint64(&accepted, 1)
		if !connections.add(connection) {
			connection.Close()
			atomic.AddUint64(&closed, 1)
			return
		}
		go func() {
			defer connections.remove(connection)
			echo(connection)
		}()
	}
}

func main() {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	connections := &registry{open: map[net.Conn]struct{}{}}
	port := listener.Addr().(*net.TCPAddr).Port
	fmt.Printf("{\"event\":\"ready\",\"port\":%d,\"pid\":%d}\n", port, os.Getpid())
	go accept(listener, connections)
	<-signals
	listener.Close()
	connections.end()
	fmt.Printf("{\"event\":\"counters\",\"bytesReceived\":%d,\"bytesSent\":%d,"+
		"\"connectionsAccepted\":%d,\"connectionsClosed\":%d}\n",
		atomic.LoadUint64(&received), atomic.LoadUint64(&sent),
		atomic.LoadUint64(&accepted), atomic.LoadUint64(&closed))
}
