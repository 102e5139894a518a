// What every program here does with sockets: addresses as host:port, listening, and saying so.
#pragma once

#include <netinet/in.h>

#define BENCH_NORETURN __attribute__((noreturn))

#ifdef __cplusplus
extern "C" {
#endif

// Reads "127.0.0.1:80" into *to; 0, or -1 where it is no such address.
int parse_address(const char* text, struct sockaddr_in* to);

// A non-blocking listening socket whose connections have TCP_NODELAY from the start. Ends the
// process, with a message, where it cannot listen.
int listen_on(const char* address);

// The address that the kernel gave a listening socket.
struct sockaddr_in local_address(int fd);

// Prints the one line by which a server tells that it is ready: "listening tcp 127.0.0.1:80".
void announce(const char* network, int fd);

// As many descriptors as the system allows this process.
void raise_descriptor_limit(void);

// Ends the process with the name of what failed and errno's text.
BENCH_NORETURN void die(const char* what);

#ifdef __cplusplus
}
#endif
