// The same servers in Go, written as Go programs mostly are: io.Copy, which splices between sockets
// and uses sendfile from a file; bufio; hash/crc32.
//
//	go-peer proxy  host:port target-host:port
//	go-peer send   host:port file
//	go-peer lines  host:port
//	go-peer frames host:port
//	go-peer crc32  size 1 seconds
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "proxy":
		return serve(args[1], proxyTo(args[2]))
	case len(args) == 3 && args[0] == "send":
		return serve(args[1], senderOf(args[2]))
	case len(args) == 2 && args[0] == "lines":
		return serve(args[1], countLines)
	case len(args) == 2 && args[0] == "frames":
		return serve(args[1], countFrames)
	case len(args) == 4 && args[0] == "crc32":
		return measureCrc32(args[1], args[3])
	}
	fmt.Fprintln(os.Stderr, "usage: go-peer proxy|send|lines|frames host:port [target|file], go-peer crc32 size 1 seconds")
	os.Exit(2)
	return nil
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
