// What Swift's Glibc module leaves out. Prototypes that need _GNU_SOURCE are declared by hand, since
// defining it here would collide with that module.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/socket.h>
#include <sys/xattr.h>

extern int accept4(int socket, struct sockaddr *address, socklen_t *length, int flags);
extern int pthread_setname_np(unsigned long thread, const char *name);
extern int sched_getaffinity(int process, unsigned long size, void *mask);
extern int sched_setaffinity(int process, unsigned long size, const void *mask);

// prctl() takes any number of arguments, which Swift cannot call.
static inline int set_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }
static inline int set_thread_name(const char *name) { return prctl(PR_SET_NAME, name); }

extern int prlimit(int process, int resource, const void *limit, void *old);
extern int posix_spawn_file_actions_addclosefrom_np(void *actions, int from);

// By its number, which is the same everywhere: the C library has no such call before glibc 2.36.
extern long syscall(long number, ...);
static inline int open_process(int process) { return (int)syscall(434, process, 0); }
