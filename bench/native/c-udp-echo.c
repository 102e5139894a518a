// The yardstick of the udp benchmarks: an edge-triggered epoll loop in plain C, one system call for
// each datagram in each direction.
//
//   c-udp-echo host:port

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tcp.h"

static char buffer[64 * 1024];

static void echo_all(int fd) {
  for (;;) {
    struct sockaddr_in from;
    socklen_t length = sizeof from;
    const ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr*)&from, &length);
    if (n < 0) {
      if (errno == EAGAIN) return;
      die("recvfrom");
    }
    if (sendto(fd, buffer, n, 0, (struct sockaddr*)&from, length) != n) die("sendto");
  }
}

int main(int argc, char** argv) {
  struct sockaddr_in at;
  if (argc != 2 || parse_address(argv[1], &at) < 0) {
    fprintf(stderr, "usage: c-udp-echo host:port\n");
    return 2;
  }
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr*)&at, sizeof at) < 0) die(argv[1]);
  const int poller = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd};
  if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll");
  announce("udp", fd);
  for (;;) {
    if (epoll_wait(poller, &event, 1, -1) == 1) echo_all(fd);
  }
}
