module example.com/analyst

go 1.22
