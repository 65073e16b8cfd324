/*
 * relay.exe PROGRAM ARGUMENTS...: runs a program with Windows' own pipes as its standard streams, and copies what goes
 * through them from and to the streams of this process. Wine hands a Linux pipe on as it is, which Node for Windows refuses
 * (EBADF); behind this program a Windows program is an ordinary child of a test on Linux: its streams, its exit code, Ctrl+C
 * (SIGINT here), and its end with this process's. What it starts in its turn is left alone, as on Windows.
 */
#include <stdio.h>
#include <windows.h>

#define NOT_STARTED 127

struct stream {
  HANDLE from, to;
  int close_when_done;
};

static DWORD child_id;
static LONG passed_on;

static DWORD WINAPI copy(void *argument) {
  struct stream *stream = argument;
  char buffer[65536];
  DWORD length, written;
  while (ReadFile(stream->from, buffer, sizeof buffer, &length, NULL) && length) {
    for (DWORD done = 0; done < length; done += written)
      if (!WriteFile(stream->to, buffer + done, length - done, &written, NULL)) goto ended;
  }
ended:
  if (stream->close_when_done) CloseHandle(stream->to);
  return 0;
}

/* Ctrl+C is an event of a console: the child has one of its own, so this process goes there to press the keys. */
static BOOL WINAPI press(DWORD event) {
  if (event != CTRL_C_EVENT) return FALSE;
  if (InterlockedExchange(&passed_on, 1)) return TRUE; /* this very event, which reaches everybody in that console */
  FreeConsole();
  if (!AttachConsole(child_id) || !GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0))
    fprintf(stderr, "relay: Ctrl+C could not be passed on: error %lu\n", GetLastError());
  return TRUE;
}

/* The command line behind this program's own name, quoting included. */
static wchar_t *rest_of_command_line(void) {
  wchar_t *text = GetCommandLineW();
  int quoted = 0;
  while (*text && (quoted || (*text != ' ' && *text != '\t'))) {
    if (*text == '"') quoted = !quoted;
    text++;
  }
  while (*text == ' ' || *text == '\t') text++;
  return text;
}

/* A pipe of which the child gets one end (`inherited`: 0 the reading one, 1 the writing one). */
static void make_pipe(HANDLE ends[2], int inherited) {
  SECURITY_ATTRIBUTES inheritable = {sizeof inheritable, NULL, TRUE};
  if (!CreatePipe(&ends[0], &ends[1], &inheritable, 65536)) {
    fprintf(stderr, "relay: CreatePipe: error %lu\n", GetLastError());
    ExitProcess(NOT_STARTED);
  }
  SetHandleInformation(ends[1 - inherited], HANDLE_FLAG_INHERIT, 0);
}

int wmain(void) {
  /* Whoever reads the other ends must see their end with this process, whatever it leaves behind. */
  for (DWORD stream = STD_INPUT_HANDLE; stream >= STD_ERROR_HANDLE; stream--)
    SetHandleInformation(GetStdHandle(stream), HANDLE_FLAG_INHERIT, 0);
  HANDLE in[2], out[2], err[2];
  make_pipe(in, 0);
  make_pipe(out, 1);
  make_pipe(err, 1);

  /* Who kills this process wants the program killed; what the program has started ends by itself, or does not. */
  HANDLE job = CreateJobObjectW(NULL, NULL);
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_SILENT_BREAKAWAY_OK;
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);

  STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
  start.hStdInput = in[0];
  start.hStdOutput = out[1];
  start.hStdError = err[1];
  PROCESS_INFORMATION child;
  /* Not suspended until it is in the job: where this process is killed in between, it would stay so for ever. */
  if (!CreateProcessW(NULL, rest_of_command_line(), NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &start, &child)) {
    fprintf(stderr, "relay: CreateProcess: error %lu\n", GetLastError());
    return NOT_STARTED;
  }
  child_id = child.dwProcessId;
  SetConsoleCtrlHandler(press, TRUE);
  AssignProcessToJobObject(job, child.hProcess);
  CloseHandle(in[0]);
  CloseHandle(out[1]);
  CloseHandle(err[1]);

  struct stream streams[] = {{GetStdHandle(STD_INPUT_HANDLE), in[1], 1},
                             {out[0], GetStdHandle(STD_OUTPUT_HANDLE), 0},
                             {err[0], GetStdHandle(STD_ERROR_HANDLE), 0}};
  HANDLE copies[3];
  for (int i = 0; i < 3; i++) copies[i] = CreateThread(NULL, 0, copy, &streams[i], 0, NULL);
  WaitForSingleObject(child.hProcess, INFINITE);
  /* A program that it has started may hold the output open: what that one says is not waited for for ever. */
  WaitForMultipleObjects(2, copies + 1, TRUE, 5000);
  DWORD code;
  GetExitCodeProcess(child.hProcess, &code);
  ExitProcess(code);
}
