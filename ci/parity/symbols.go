// Lists what a Go module exports, one symbol a line: the list that docs/parity.md answers.
//
//	go run ci/parity/symbols.go VERSION > ci/parity/symbols.txt
//
// It reads the source that the module proxy serves, and uses nothing but the standard library. The symbols of a
// package are its functions, types, constants and variables, and of its types the methods and fields, those of an
// interface and embedded ones included. Test files and packages below `internal` are left out.
package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const module = "go.etcd.io/etcd/client/v3"

func main() {
	if len(os.Args) != 2 {
		log.Fatal("name one version, such as v3.7.3")
	}
	version := os.Args[1]
	root := download(version)
	symbols := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains([]string{"internal", "testdata"}, entry.Name()) {
			return fs.SkipDir
		}
		if !entry.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			return file(root, path, symbols)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	print(version, symbols)
}

// download returns the folder that holds the module's source.
func download(version string) string {
	answer, err := exec.Command("go", "mod", "download", "-json", module+"@"+version).Output()
	var found struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(answer, &found)
	}
	if err != nil {
		log.Fatalf("%v: %s", err, answer)
	}
	return found.Dir
}

func print(version string, symbols map[string]string) {
	fmt.Printf("# What the Go module %s %s exports, test files and internal packages aside:\n# kind, tab, package and symbol; sorted by symbol. These are names only.\n", module, version)
	fmt.Printf("# Written by `go run ci/parity/symbols.go %s`; not edited by hand.\n# docs/parity.md has an answer to each, and `cargo xtask tidy` checks that.\n", version)
	lines := []string{}
	for symbol, kind := range symbols {
		lines = append(lines, symbol+" "+kind)
	}
	slices.Sort(lines)
	for _, line := range lines {
		symbol, kind, _ := strings.Cut(line, " ")
		fmt.Printf("%s\t%s\n", kind, symbol)
	}
}

// file adds what one source file exports.
func file(root, path string, symbols map[string]string) error {
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return err
	}
	if folder == "." {
		folder = parsed.Name.Name
	}
	add := func(kind string, names ...string) {
		if !slices.ContainsFunc(names, func(name string) bool { return !ast.IsExported(name) }) {
			symbols[filepath.ToSlash(folder)+"."+strings.Join(names, ".")] = kind
		}
	}
	for _, declaration := range parsed.Decls {
		switch declaration := declaration.(type) {
		case *ast.FuncDecl:
			if declaration.Recv == nil {
				add("func", declaration.Name.Name)
			} else {
				add("method", base(declaration.Recv.List[0].Type), declaration.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range declaration.Specs {
				specified(spec, declaration.Tok.String(), add)
			}
		}
	}
	return nil
}

// specified adds a type with its members, or constants or variables.
func specified(spec ast.Spec, kind string, add func(kind string, names ...string)) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			add(kind, name.Name)
		}
	case *ast.TypeSpec:
		add("type", spec.Name.Name)
		switch definition := spec.Type.(type) {
		case *ast.StructType:
			members(spec.Name.Name, "field", definition.Fields, add)
		case *ast.InterfaceType:
			members(spec.Name.Name, "method", definition.Methods, add)
		}
	}
}

// members adds fields or methods; one without a name is embedded.
func members(owner, kind string, fields *ast.FieldList, add func(kind string, names ...string)) {
	for _, field := range fields.List {
		for _, name := range field.Names {
			add(kind, owner, name.Name)
		}
		if len(field.Names) == 0 {
			add("embedded", owner, base(field.Type))
		}
	}
}

// base is the name of a type without pointer, package and type arguments.
func base(expression ast.Expr) string {
	switch expression := expression.(type) {
	case *ast.StarExpr:
		return base(expression.X)
	case *ast.IndexExpr:
		return base(expression.X)
	case *ast.SelectorExpr:
		return expression.Sel.Name
	case *ast.Ident:
		return expression.Name
	}
	return ""
}
