#!/bin/sh
# Signs one file for Windows in place: `npm run package -- --platform win-x64 --sign scripts/sign-with-osslsigncode.sh`.
# What it needs stands in the environment, and no secret does:
#   SPMIGRATION_SIGN_CERTIFICATES   PEM file: the publisher's certificate and its issuers
#   SPMIGRATION_SIGN_KEY            PEM file: its private key
#   SPMIGRATION_SIGN_PASSWORD_FILE  file with the key's password, where it has one
#   SPMIGRATION_SIGN_TIMESTAMP      URL of a time-stamping authority (RFC 3161); without one signatures end with the certificate
# A key in a token or a service needs other arguments (osslsigncode sign --help): copy this file and change them there.
# osslsigncode signs executables in every version, PowerShell's files since 2.8; an older one leaves those as they are.
set -eu
file=$1
: "${SPMIGRATION_SIGN_CERTIFICATES:?is not set}" "${SPMIGRATION_SIGN_KEY:?is not set}"

case $file in
*.exe) ;;
*)
  version=$(osslsigncode --version | sed -n 's/^osslsigncode \([0-9.]*\).*/\1/p')
  oldest=$(printf '2.8\n%s\n' "$version" | sort -V | head -n 1)
  if [ "$oldest" != 2.8 ]; then
    exit 0
  fi
  ;;
esac

set -- -certs "$SPMIGRATION_SIGN_CERTIFICATES" -key "$SPMIGRATION_SIGN_KEY" -h sha256 -n SPMigration
[ -z "${SPMIGRATION_SIGN_PASSWORD_FILE:-}" ] || set -- "$@" -readpass "$SPMIGRATION_SIGN_PASSWORD_FILE"
[ -z "${SPMIGRATION_SIGN_TIMESTAMP:-}" ] || set -- "$@" -ts "$SPMIGRATION_SIGN_TIMESTAMP"

signed=$file.signed
trap 'rm -f "$signed"' EXIT
osslsigncode sign "$@" -in "$file" -out "$signed"
mv "$signed" "$file"
