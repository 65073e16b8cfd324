/*
 * spmigration.exe in tests that put a script in the core's place: runs the command line that stands in `<its own path>.start`
 * (UTF-8, one line) on its own streams, ends with its exit code, and takes it along when it is killed.
 */
#include <stdio.h>
#include <windows.h>

#define NOT_STARTED 127

int wmain(void) {
  wchar_t path[32768], command[32768];
  DWORD length = GetModuleFileNameW(NULL, path, 32700);
  wcscpy(path + length, L".start");
  HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
  char text[32768];
  DWORD bytes = 0;
  if (file == INVALID_HANDLE_VALUE || !ReadFile(file, text, sizeof text - 1, &bytes, NULL)) return NOT_STARTED;
  CloseHandle(file);
  command[MultiByteToWideChar(CP_UTF8, 0, text, (int)bytes, command, 32767)] = 0;

  HANDLE job = CreateJobObjectW(NULL, NULL);
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {0};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits, sizeof limits);
  STARTUPINFOW start;
  GetStartupInfoW(&start);
  PROCESS_INFORMATION child;
  if (!CreateProcessW(NULL, command, NULL, NULL, TRUE, 0, NULL, NULL, &start, &child)) return NOT_STARTED;
  AssignProcessToJobObject(job, child.hProcess);
  WaitForSingleObject(child.hProcess, INFINITE);
  DWORD code;
  GetExitCodeProcess(child.hProcess, &code);
  ExitProcess(code);
}
