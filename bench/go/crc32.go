package main

import (
	"encoding/json"
	"hash/crc32"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Bytes between two looks at the clock, where a call has the price of 64 at least.
const bytesAtOnce = 4 << 20

// measureCrc32 prints the CPU nanoseconds of a CRC of so many bytes, in each slice of time.
func measureCrc32(size, seconds string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	limit, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return err
	}
	bytes := make([]byte, n)
	for i := range bytes {
		bytes[i] = byte(i)
	}
	calls := bytesAtOnce/(n+64) + 1
	values := []float64{}
	var crc uint32
	for until := time.Now().Add(time.Duration(limit * float64(time.Second))); time.Now().Before(until); {
		from := cpuTime()
		for i := 0; i < calls; i++ {
			crc ^= crc32.ChecksumIEEE(bytes)
		}
		values = append(values, float64(cpuTime()-from)/float64(calls))
	}
	if crc == 1 {
		values = values[:0] // so that it is needed
	}
	return json.NewEncoder(os.Stdout).Encode(values)
}

func cpuTime() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}
