/*
 * A library of the shape of Windows' tbs.dll for tests: on other systems in its place, and for Windows programs under Wine,
 * whose own can do nothing. Every command goes to a swtpm over TCP, one connection for each, and every error can be ordered.
 * As in Windows several contexts may be open at once; unlike there, what they load is not kept apart.
 * Environment variables, read at every call:
 *   SPTBS_PORT      swtpm's port on 127.0.0.1; without a swtpm there: TBS_E_IOERROR
 *   SPTBS_CREATE    TBS_RESULT of Tbsi_Context_Create, e.g. 0x8028400f
 *   SPTBS_SUBMIT    TBS_RESULT of Tbsip_Submit_Command, without asking the swtpm
 *   SPTBS_RESPONSE  response in hex, instead of asking the swtpm
 *   SPTBS_LENGTH    number of bytes that the response is said to have
 *   SPTBS_DELAY     milliseconds that creating a context and every command take
 *   SPTBS_LOG       file to which a line is added for every call
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef _WIN32
#include <winsock2.h>
#include <windows.h>
#define EXPORTED __declspec(dllexport)
typedef SOCKET connection;
#define NO_CONNECTION INVALID_SOCKET

/* Not getenv, which in a library of Windows keeps what was set when the process started. */
static const char *setting(const char *name) {
  static _Thread_local char texts[4][4096];
  static _Thread_local unsigned turn;
  char *text = texts[turn++ % 4];
  DWORD length = GetEnvironmentVariableA(name, text, sizeof texts[0]);
  return length > 0 && length < sizeof texts[0] ? text : NULL;
}

static void wait_for(uint32_t milliseconds) { Sleep(milliseconds); }

static void use_sockets(void) {
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
}
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
/* As in winerror.h. */
#define TBS_E_BAD_PARAMETER 0x80284002u
#define TBS_E_INSUFFICIENT_BUFFER 0x80284005u
#define TBS_E_IOERROR 0x80284006u
#define TBS_E_INVALID_CONTEXT_PARAM 0x80284007u
#define TBS_E_TPM_NOT_FOUND 0x8028400fu
#define EXPORTED
typedef int connection;
#define NO_CONNECTION (-1)
#define closesocket close

static const char *setting(const char *name) { return getenv(name); }

static void wait_for(uint32_t milliseconds) {
  struct timespec time = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
  nanosleep(&time, NULL);
}

static void use_sockets(void) {}
#endif

#define TBS_E_INVALID_CONTEXT 0x80284004u /* which mingw's winerror.h leaves out */

struct context {
  uint32_t magic;
};
static const uint32_t magic = 0x54425331;

static void note(const char *format, ...) {
  const char *name = setting("SPTBS_LOG");
  FILE *file = name ? fopen(name, "a") : NULL;
  if (!file) return;
  va_list values;
  va_start(values, format);
  vfprintf(file, format, values);
  va_end(values);
  fputc('\n', file);
  fclose(file);
}

static uint32_t ordered(const char *name) {
  const char *text = setting(name);
  return text ? (uint32_t)strtoul(text, NULL, 0) : 0;
}

static void take_time(void) { wait_for(ordered("SPTBS_DELAY")); }

static uint32_t big_endian(const uint8_t *bytes) {
  return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int receive(connection from, uint8_t *bytes, uint32_t length) {
  while (length > 0) {
    int got = (int)recv(from, (char *)bytes, length, 0);
    if (got <= 0) return 0;
    bytes += got;
    length -= (uint32_t)got;
  }
  return 1;
}

static uint32_t exchange(const uint8_t *command, uint32_t length, uint8_t *response, uint32_t *room) {
  uint32_t result = TBS_E_IOERROR;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)ordered("SPTBS_PORT"))};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  use_sockets();
  connection swtpm = socket(AF_INET, SOCK_STREAM, 0);
  if (swtpm == NO_CONNECTION) return result;
  uint8_t header[10];
  if (!connect(swtpm, (struct sockaddr *)&address, sizeof address) &&
      (uint32_t)send(swtpm, (const char *)command, length, 0) == length && receive(swtpm, header, sizeof header)) {
    uint32_t size = big_endian(header + 2);
    if (size < sizeof header || size > *room) {
      result = TBS_E_INSUFFICIENT_BUFFER;
    } else {
      memcpy(response, header, sizeof header);
      if (receive(swtpm, response + sizeof header, size - sizeof header)) {
        *room = size;
        result = 0;
      }
    }
  }
  closesocket(swtpm);
  return result;
}

static uint32_t ordered_response(const char *hex, uint8_t *response, uint32_t *room) {
  uint32_t length = 0;
  for (unsigned byte; sscanf(hex, "%2x", &byte) == 1 && length < *room; hex += 2) response[length++] = (uint8_t)byte;
  *room = length;
  return 0;
}

EXPORTED uint32_t Tbsi_Context_Create(const uint32_t *parameters, struct context **context) {
  if (!parameters || !context) return TBS_E_BAD_PARAMETER;
  note("create version %u flags %u", parameters[0], parameters[0] == 2 ? parameters[1] : 0);
  take_time();
  if (ordered("SPTBS_CREATE")) return ordered("SPTBS_CREATE");
  if (parameters[0] != 1 && parameters[0] != 2) return TBS_E_INVALID_CONTEXT_PARAM;
  /* A context for TPM 1.2 only. */
  if (parameters[0] == 1 || !(parameters[1] & 4)) return TBS_E_TPM_NOT_FOUND;
  *context = malloc(sizeof **context);
  (*context)->magic = magic;
  return 0;
}

EXPORTED uint32_t Tbsip_Submit_Command(struct context *context, uint32_t locality, uint32_t priority,
                                       const uint8_t *command, uint32_t length, uint8_t *response, uint32_t *room) {
  if (!context || context->magic != magic) return TBS_E_INVALID_CONTEXT;
  note("submit locality %u priority %u length %u room %u", locality, priority, length, room ? *room : 0);
  take_time();
  if (ordered("SPTBS_SUBMIT")) return ordered("SPTBS_SUBMIT");
  if (!command || length < 10 || big_endian(command + 2) != length || !response || !room) return TBS_E_BAD_PARAMETER;
  const char *hex = setting("SPTBS_RESPONSE");
  uint32_t result = hex ? ordered_response(hex, response, room) : exchange(command, length, response, room);
  if (ordered("SPTBS_LENGTH")) *room = ordered("SPTBS_LENGTH");
  return result;
}

EXPORTED uint32_t Tbsip_Context_Close(struct context *context) {
  if (!context || context->magic != magic) return TBS_E_INVALID_CONTEXT;
  note("close");
  context->magic = 0;
  free(context);
  return 0;
}
