// The same servers in Go, written as Go programs mostly are: io.Copy, which splices between sockets
// and uses sendfile from a file.
//
//	go-peer proxy host:port target-host:port
//	go-peer send  host:port file
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

func main() {
	if len(os.Args) != 4 || (os.Args[1] != "proxy" && os.Args[1] != "send") {
		fmt.Fprintln(os.Stderr, "usage: go-peer proxy|send host:port target-host:port|file")
		os.Exit(2)
	}
	handle := proxyTo(os.Args[3])
	if os.Args[1] == "send" {
		handle = senderOf(os.Args[3])
	}
	log.Fatal(serve(os.Args[2], handle))
}

func serve(address string, handle func(*net.TCPConn)) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Printf("listening tcp %s\n", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go handle(conn.(*net.TCPConn))
	}
}

func proxyTo(target string) func(*net.TCPConn) {
	return func(client *net.TCPConn) {
		defer client.Close()
		conn, err := net.Dial("tcp", target)
		if err != nil {
			return
		}
		upstream := conn.(*net.TCPConn)
		defer upstream.Close()
		back := make(chan struct{})
		go func() {
			defer close(back)
			pass(client, upstream)
		}()
		pass(upstream, client)
		<-back
	}
}

// A stream that failed, and not just ended, takes the other direction with it.
func pass(to, from *net.TCPConn) {
	if _, err := io.Copy(to, from); err != nil {
		to.Close()
		from.Close()
		return
	}
	to.CloseWrite()
}

func senderOf(path string) func(*net.TCPConn) {
	return func(client *net.TCPConn) {
		defer client.Close()
		file, err := os.Open(path)
		if err != nil {
			return
		}
		defer file.Close()
		io.Copy(client, file)
	}
}
