// Shares the keys of a leasing prefix with the test that starts it. Each line of its stdin is an operation, with a number:
//
//	N get KEY              N ok REVISION         the revision of the key, 0 if it does not exist
//	N put KEY VALUE        N ok REVISION         the revision of the store
//	N delete KEY           N ok REVISION
//	N purge PREFIX         N ok REVISION
//	N both KEY KEY VALUE   N ok REVISION         puts both keys in a transaction
//	N read KEY KEY         N ok REVISION REVISION  reads both keys in a transaction
//
// Operations run concurrently. One that fails is answered by "N failed". The program writes "ready" first, and ends with
// its stdin.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/client/v3/concurrency"
	"go.etcd.io/etcd/client/v3/leasing"
)

var (
	endpoints = flag.String("endpoints", "", "comma-separated")
	prefix    = flag.String("prefix", "", "of the ownership keys")
	ttl       = flag.Int("ttl", 5, "of the session, in seconds")
	limit     = flag.Duration("limit", 10*time.Second, "of one operation")
	out       sync.Mutex
)

func say(format string, args ...any) {
	out.Lock()
	defer out.Unlock()
	fmt.Printf(format+"\n", args...)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func revision(response *pb.RangeResponse) int64 {
	if len(response.Kvs) == 0 {
		return 0
	}
	return response.Kvs[0].ModRevision
}

// Returns the numbers of the answer.
func run(ctx context.Context, kv clientv3.KV, words []string) ([]any, error) {
	switch words[0] {
	case "get":
		response, err := kv.Get(ctx, words[1])
		if err != nil {
			return nil, err
		}
		return []any{revision((*pb.RangeResponse)(response))}, nil
	case "put":
		response, err := kv.Put(ctx, words[1], words[2])
		if err != nil {
			return nil, err
		}
		return []any{response.Header.Revision}, nil
	case "delete", "purge":
		var options []clientv3.OpOption
		if words[0] == "purge" {
			options = append(options, clientv3.WithPrefix())
		}
		response, err := kv.Delete(ctx, words[1], options...)
		if err != nil {
			return nil, err
		}
		return []any{response.Header.Revision}, nil
	case "both":
		puts := []clientv3.Op{clientv3.OpPut(words[1], words[3]), clientv3.OpPut(words[2], words[3])}
		response, err := kv.Txn(ctx).Then(puts...).Commit()
		if err != nil {
			return nil, err
		}
		return []any{response.Header.Revision}, nil
	case "read":
		response, err := kv.Txn(ctx).Then(clientv3.OpGet(words[1]), clientv3.OpGet(words[2])).Commit()
		if err != nil {
			return nil, err
		}
		first, second := response.Responses[0].GetResponseRange(), response.Responses[1].GetResponseRange()
		return []any{revision(first), revision(second)}, nil
	}
	return nil, fmt.Errorf("unknown operation %q", words[0])
}

func serve(kv clientv3.KV, words []string) {
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	numbers, err := run(ctx, kv, words[1:])
	if err != nil {
		say("%s failed", words[0])
		return
	}
	say("%s ok %s", words[0], strings.Trim(fmt.Sprint(numbers), "[]"))
}

func main() {
	flag.Parse()
	client, err := clientv3.New(clientv3.Config{
		Endpoints: strings.Split(*endpoints, ","), DialTimeout: 2 * time.Second,
		DialKeepAliveTime: 2 * time.Second, DialKeepAliveTimeout: 2 * time.Second,
	})
	check(err)
	kv, _, err := leasing.NewKV(client, *prefix, concurrency.WithTTL(*ttl))
	check(err)
	say("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		go serve(kv, strings.Split(lines.Text(), " "))
	}
}
