// Starting a program so that it does not outlive the one that started it: between fork and exec only
// C may run, and prctl is variadic, which Swift does not import.
#ifndef CPROCESS_H
#define CPROCESS_H

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Starts the program at `path` with empty standard input and nothing else open but `output` and
// `errors`, as the leader of a process group. It is sent SIGTERM when the thread that calls this
// ends, however that comes about. Signals have their default actions, but for those that are
// ignored. Returns the process's number, or -1; 127 is the exit code where `path` cannot be run.
static inline pid_t CProcess_start(
    const char *path, char *const arguments[], char *const environment[], int output, int errors) {
  pid_t parent = getpid();
  pid_t child = fork();
  if (child != 0) return child;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it was too fast
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int input = open("/dev/null", O_RDONLY);
  // Copies first: any of the three may be in the place of another.
  output = fcntl(output, F_DUPFD, 3);
  errors = fcntl(errors, F_DUPFD, 3);
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) _exit(127);
#ifdef SYS_close_range
  syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
  execve(path, arguments, environment);
  _exit(127);
}

#endif
