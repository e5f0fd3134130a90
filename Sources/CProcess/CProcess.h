// Starting a program so that it does not outlive the one that started it: between fork and exec only
// C may run, and prctl is variadic, which Swift does not import.
#ifndef CPROCESS_H
#define CPROCESS_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A program that has been started, and the process between it and its starter.
//
// A process that dies hands its children from thread to thread of its own, while those end one after
// the other, and the kernel tells the children each time. mpirun takes a second SIGTERM for
// impatience, and leaves its files where they are. A keeper has one thread, which waits for the
// program and ends as it does. It takes no signals: it looks like its starter to those who send
// them by name.
typedef struct {
  pid_t program;
  pid_t keeper;
} CProcess;

static inline void CProcess_closeFrom(unsigned first) {
#ifdef SYS_close_range
  syscall(SYS_close_range, first, ~0u, 0u);
#endif
}

// Becomes the program, in place of a child of the keeper.
static inline void CProcess_become(
    const char *path, char *const arguments[], char *const environment[], int output, int errors,
    pid_t keeper) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != keeper) _exit(127);  // it was too fast
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_IGN);
  int input = open("/dev/null", O_RDONLY);
  // Copies first: any of the three may be in the place of another.
  output = fcntl(output, F_DUPFD, 3);
  errors = fcntl(errors, F_DUPFD, 3);
  if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) _exit(127);
  CProcess_closeFrom(3);
  execve(path, arguments, environment);
  _exit(127);
}

// Waits for the program, and ends as it has ended.
static inline void CProcess_keep(pid_t program) {
  CProcess_closeFrom(0);
  int status = 0;
  while (waitpid(program, &status, 0) < 0 && errno == EINTR) continue;
  if (WIFSIGNALED(status)) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    sigset_t own;
    sigemptyset(&own);
    sigaddset(&own, WTERMSIG(status));
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    sigprocmask(SIG_UNBLOCK, &own, NULL);
  }
  _exit(WEXITSTATUS(status));
}

// Starts the program at `path` with empty standard input and nothing else open but `output` and
// `errors`, as the leader of a process group. It is sent SIGTERM, once, when the thread that calls
// this ends, however that comes about. Signals have their default actions, but for those that are
// ignored, and SIGPIPE, which is: mpirun passes the last words of its ranks on when it no longer
// handles signals, and without a reader for them would end before it has removed its files. The
// keeper is the caller's child, and ends with the program's exit code or signal: 127 where `path`
// cannot be run. The program is -1, and errno says why, if no process can be made.
static inline CProcess CProcess_start(
    const char *path, char *const arguments[], char *const environment[], int output, int errors) {
  CProcess process = {-1, -1};
  int news[2];
  if (pipe(news) < 0) return process;
  pid_t parent = getpid();
  process.keeper = fork();
  if (process.keeper == 0) {
    setpgid(0, 0);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    prctl(PR_SET_NAME, "lockstep-keeper");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    pid_t keeper = getpid();
    pid_t program = fork();
    if (program == 0) CProcess_become(path, arguments, environment, output, errors, keeper);
    int message = program > 0 ? program : -errno;
    if (write(news[1], &message, sizeof message) != sizeof message || program < 0) _exit(127);
    CProcess_keep(program);
  }
  int error = process.keeper < 0 ? errno : ESRCH;
  close(news[1]);
  int message = 0;
  ssize_t length;
  do {
    length = read(news[0], &message, sizeof message);
  } while (length < 0 && errno == EINTR);
  close(news[0]);
  if (length == sizeof message && message > 0) {
    process.program = message;
  } else {
    if (process.keeper > 0) waitpid(process.keeper, NULL, 0);
    errno = length == sizeof message ? -message : error;
  }
  return process;
}

#endif
