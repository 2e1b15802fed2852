// Command load is the client side of the measurements: publishers and viewers on Pion, and plain WebSocket
// sessions. It speaks the protocol of docs/protocol.md, costs less of a machine than a browser, and is built
// once by setup.
//
// It writes one JSON object a line on standard output, and is told what to do next by words on standard
// input. The end of its input ends it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"syscall"
)

func main() {
	commands := map[string]func([]string, <-chan string) error{
		"viewers":  runViewers,
		"sessions": runSessions,
		"cycles":   runCycles,
		"replay":   runReplay,
	}
	run := func([]string, <-chan string) error { return fmt.Errorf("usage: load viewers|sessions|cycles|replay") }
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		run = commands[os.Args[1]]
	}
	if err := run(os.Args[min(2, len(os.Args)):], words()); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// words gives the lines of standard input, and ends the process with it: whoever started us is gone then.
func words() <-chan string {
	lines := make(chan string)
	go func() {
		input := bufio.NewScanner(os.Stdin)
		for input.Scan() {
			lines <- input.Text()
		}
		os.Exit(0)
	}()
	return lines
}

func tell(event any) {
	text, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

// cpuSeconds is the user and system time of this process.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
