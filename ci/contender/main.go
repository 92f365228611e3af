// Contends with Go's recipes for the locks, elections, read-write locks, barriers and queues of a robustness run, one line an edge.
//
// It writes "held N KIND KEY REVISION LEASE SHARE", "giving N", "lost N", "passing N KIND", "passed N", "put N KIND ITEM",
// "taking N KIND", "took N ITEM", "ok N" and "failed N". After "giving N", "passing N", "put N" and "taking N" it waits for a line
// with the same N: the run records an end, or the start of an operation, before it happens. It ends with its stdin.
//
// With "-meet" it takes part in a double barrier of two instead, one round for each line of its stdin, and writes "entering", "entered"
// and "left".
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/etcd/api/v3/mvccpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	recipe "go.etcd.io/etcd/client/v3/experimental/recipes"
)

var errLost = errors.New("the key is gone")

var (
	endpoints = flag.String("endpoints", "", "comma-separated")
	prefix    = flag.String("items", "g", "what items begin with")
	ttl       = flag.Int("ttl", 4, "seconds")
	meeting   = flag.String("meet", "", "the double barrier")
	numbers   atomic.Int64
	out       sync.Mutex
	waiting   sync.Map
)

func say(format string, args ...any) {
	out.Lock()
	defer out.Unlock()
	fmt.Printf(format+"\n", args...)
}

// Says something and waits until the run has recorded it. A line that is read late would otherwise let an operation look as if it
// started after it had ended.
func announce(n int64, format string, args ...any) {
	recorded := make(chan struct{})
	waiting.Store(fmt.Sprint(n), recorded)
	say(format, args...)
	<-recorded
}

func pause(milliseconds int) { time.Sleep(time.Duration(rand.Intn(milliseconds)) * time.Millisecond) }

// Holds until it is given back, or the session is over.
func hold(session *concurrency.Session, kind, key string, revision int64, release func(context.Context) error) {
	share(session, kind, key, revision, "alone", release)
}

// Holds it together with others of the same kind.
func share(session *concurrency.Session, kind, key string, revision int64, share string, release func(context.Context) error) {
	n := numbers.Add(1)
	say("held %d %s %s %d %d %s", n, kind, key, revision, session.Lease(), share)
	select {
	case <-session.Done():
		say("lost %d", n)
	case <-time.After(time.Duration(rand.Intn(200)) * time.Millisecond):
		announce(n, "giving %d", n)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if release(ctx) != nil {
			// The key may be there still; it goes with the session.
			session.Close()
		}
	}
}

// Does something by one session after the other. A wait that fails may leave a key, which goes with the session.
func sessions(client *clientv3.Client, act func(context.Context, *concurrency.Session) error) {
	for {
		session, err := concurrency.NewSession(client, concurrency.WithTTL(*ttl))
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		for over := false; !over; {
			pause(300)
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			err := act(ctx, session)
			cancel()
			select {
			case <-session.Done():
				over = true
			default:
				over = err != nil
			}
		}
		session.Close()
	}
}

func lock(ctx context.Context, session *concurrency.Session) error {
	mutex := concurrency.NewMutex(session, "lock")
	if err := mutex.Lock(ctx); err != nil {
		return err
	}
	// Its header is that of its last request, which need not be the one that created the key.
	found, err := session.Client().Get(ctx, mutex.Key())
	if err != nil {
		return err
	}
	if len(found.Kvs) == 0 {
		return errLost
	}
	hold(session, "lock", mutex.Key(), found.Kvs[0].CreateRevision, mutex.Unlock)
	return nil
}

func lead(ctx context.Context, session *concurrency.Session) error {
	election := concurrency.NewElection(session, "office")
	if err := election.Campaign(ctx, "go"); err != nil {
		return err
	}
	hold(session, "office", election.Key(), election.Rev(), election.Resign)
	return nil
}

// RWMutex names its key after the time and does not tell it: it is the one of the session's lease.
func own(ctx context.Context, session *concurrency.Session, prefix string) (*mvccpb.KeyValue, error) {
	found, err := session.Client().Get(ctx, prefix, clientv3.WithPrefix())
	if err != nil {
		return nil, err
	}
	for _, kv := range found.Kvs {
		if clientv3.LeaseID(kv.Lease) == session.Lease() {
			return kv, nil
		}
	}
	return nil, errLost
}

func readWrite(_ context.Context, session *concurrency.Session) error {
	mutex := recipe.NewRWMutex(session, "rw")
	acquire, release, kind := mutex.Lock, mutex.Unlock, "alone"
	if rand.Intn(2) == 0 {
		acquire, release, kind = mutex.RLock, mutex.RUnlock, "readers"
	}
	// It waits without a limit, also beyond the end of its session.
	if _, err := recovered(func() (string, error) { return "", acquire() }); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	kv, err := own(ctx, session, "rw/")
	if err != nil {
		return err
	}
	share(session, "rw", string(kv.Key), kv.CreateRevision, kind, func(context.Context) error { return release() })
	return nil
}

func pass(barrier *recipe.Barrier, kind string) {
	for {
		pause(600)
		n := numbers.Add(1)
		announce(n, "passing %d %s", n, kind)
		if _, err := recovered(func() (string, error) { return "", barrier.Wait() }); err == nil {
			say("passed %d", n)
		}
	}
}

func outcome(n int64, err error) {
	if err == nil {
		say("ok %d", n)
	} else {
		say("failed %d", n)
		time.Sleep(100 * time.Millisecond)
	}
}

func produce(put func(string) error, kind string) {
	for {
		pause(600)
		n := numbers.Add(1)
		item := fmt.Sprintf("%s%d", *prefix, n)
		announce(n, "put %d %s %s", n, kind, item)
		outcome(n, put(item))
	}
}

// v3.7.3 dereferences nil where a watch of Dequeue ends by a compaction (experimental/recipes/queue.go, WaitPrefixEvents).
func recovered(take func() (string, error)) (item string, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("%v", cause)
		}
	}()
	return take()
}

func consume(take func() (string, error), kind string) {
	for {
		pause(600)
		n := numbers.Add(1)
		announce(n, "taking %d %s", n, kind)
		if item, err := recovered(take); err == nil {
			say("took %d %s", n, item)
		} else {
			outcome(n, err)
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func meet(client *clientv3.Client, lines *bufio.Scanner) {
	session, err := concurrency.NewSession(client)
	check(err)
	defer session.Close()
	for lines.Scan() {
		barrier := recipe.NewDoubleBarrier(session, *meeting, 2)
		say("entering")
		check(barrier.Enter())
		say("entered")
		check(barrier.Leave())
		say("left")
	}
}

func main() {
	flag.Parse()
	client, err := clientv3.New(clientv3.Config{
		Endpoints: strings.Split(*endpoints, ","), DialTimeout: 2 * time.Second,
		DialKeepAliveTime: 2 * time.Second, DialKeepAliveTimeout: 2 * time.Second,
	})
	check(err)
	lines := bufio.NewScanner(os.Stdin)
	if *meeting != "" {
		meet(client, lines)
		return
	}
	go sessions(client, lock)
	go sessions(client, lead)
	go sessions(client, readWrite)
	go pass(recipe.NewBarrier(client, "barrier"), "barrier")
	queue := recipe.NewQueue(client, "items")
	go produce(queue.Enqueue, "items")
	go consume(queue.Dequeue, "items")
	urgent := recipe.NewPriorityQueue(client, "urgent")
	go produce(func(item string) error { return urgent.Enqueue(item, uint16(rand.Intn(3))) }, "urgent")
	go consume(urgent.Dequeue, "urgent")
	for lines.Scan() {
		if recorded, waits := waiting.LoadAndDelete(lines.Text()); waits {
			close(recorded.(chan struct{}))
		}
	}
}
