#include "tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

void die(const char* what) {
  fprintf(stderr, "%s: %s\n", what, strerror(errno));
  exit(1);
}

int parse_address(const char* text, struct sockaddr_in* to) {
  char host[INET_ADDRSTRLEN];
  const char* colon = strrchr(text, ':');
  if (colon == NULL || (size_t)(colon - text) >= sizeof host) return -1;
  memcpy(host, text, colon - text);
  host[colon - text] = '\0';
  char* end;
  const long port = strtol(colon + 1, &end, 10);
  if (end == colon + 1 || *end != '\0' || port < 0 || port > 65535) return -1;
  *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
  return inet_pton(AF_INET, host, &to->sin_addr) == 1 ? 0 : -1;
}

static void turn_on(int fd, int level, int option) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) < 0) die("setsockopt");
}

int listen_on(const char* address) {
  struct sockaddr_in to;
  if (parse_address(address, &to) < 0) {
    errno = EINVAL;
    die(address);
  }
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  turn_on(fd, SOL_SOCKET, SO_REUSEADDR);
  turn_on(fd, IPPROTO_TCP, TCP_NODELAY);
  if (bind(fd, (struct sockaddr*)&to, sizeof to) < 0) die(address);
  if (listen(fd, SOMAXCONN) < 0) die("listen");
  return fd;
}

struct sockaddr_in local_address(int fd) {
  struct sockaddr_in at;
  socklen_t length = sizeof at;
  if (getsockname(fd, (struct sockaddr*)&at, &length) < 0) die("getsockname");
  return at;
}

void announce(const char* network, int fd) {
  const struct sockaddr_in at = local_address(fd);
  char host[INET_ADDRSTRLEN];
  inet_ntop(AF_INET, &at.sin_addr, host, sizeof host);
  printf("listening %s %s:%d\n", network, host, ntohs(at.sin_port));
  fflush(stdout);
}

void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) die("getrlimit");
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) < 0) die("setrlimit");
}
