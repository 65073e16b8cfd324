/** Default file names, made of names that come from people and files: safe on Linux and Windows, never a path. */

const longestPart = 60;

/** `name` with everything that a file system may refuse or interpret replaced by `_`; never empty, `.` or `..`. */
export function safeFileName(name: string): string {
  const safe = name
    .normalize('NFC')
    // Control characters, separators, and what Windows refuses in names.
    .replace(/[\u0000-\u001f\u007f"*/:<>?\\|]/g, '_')
    .replace(/^[. ]+|[. ]+$/g, '_')
    .slice(0, longestPart);
  if (safe === '' || /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(safe)) return `_${safe}`;
  return safe;
}

/** The last part of an account's display name: `PC-A\anna` and `anna@example.org` are `anna`. */
export function shortAccountName(name: string): string {
  const afterDomain = name.slice(name.lastIndexOf('\\') + 1);
  return safeFileName(afterDomain.split('@')[0] ?? afterDomain);
}
