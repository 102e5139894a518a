module go-peer

go 1.21
