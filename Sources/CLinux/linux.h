// What Swift's Glibc module leaves out. Prototypes that need _GNU_SOURCE are declared by hand, since
// defining it here would collide with that module.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/socket.h>

extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(unsigned long thread, const char *name);
extern int sched_getaffinity(int process, unsigned long size, void *mask);
extern int sched_setaffinity(int process, unsigned long size, const void *mask);

// prctl() takes any number of arguments, which Swift cannot call.
static inline int set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }
