package main

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"strconv"
)

const (
	bytesPerDot = 256 << 10
	headLength  = 12
	covered     = 8
	maxFrame    = 1 << 20
)

// What a server that counts tells its client: a dot for so many bytes, and the sums at the end.
type tally struct {
	to           io.Writer
	count, bytes int
	next         int
}

func (t *tally) add(n int) {
	t.count++
	t.bytes += n
	if t.bytes >= t.next+bytesPerDot {
		t.next += bytesPerDot
		io.WriteString(t.to, ".")
	}
}

func (t *tally) end() {
	io.WriteString(t.to, strconv.Itoa(t.count)+" "+strconv.Itoa(t.bytes)+"\n")
}

// countLines makes text of each line, as what it is compared with does.
func countLines(client *net.TCPConn) {
	defer client.Close()
	t := &tally{to: client}
	scanner := bufio.NewScanner(client)
	for scanner.Scan() {
		t.add(len(scanner.Text()))
	}
	t.end()
}

// countFrames reads the frames of docs/wire-format.md, all bodies into the same memory.
func countFrames(client *net.TCPConn) {
	defer client.Close()
	t := &tally{to: client}
	reader := bufio.NewReaderSize(client, 64<<10)
	var head [headLength]byte
	body := make([]byte, maxFrame)
	for {
		if _, err := io.ReadFull(reader, head[:]); err != nil {
			break
		}
		length := binary.BigEndian.Uint32(head[4:])
		if head[0] != 'B' || head[1] != 'M' || head[2] != 1 || length > maxFrame {
			return
		}
		if _, err := io.ReadFull(reader, body[:length]); err != nil {
			return
		}
		crc := crc32.Update(crc32.ChecksumIEEE(head[:covered]), crc32.IEEETable, body[:length])
		if crc != binary.BigEndian.Uint32(head[covered:]) {
			return
		}
		t.add(int(length))
	}
	t.end()
}
