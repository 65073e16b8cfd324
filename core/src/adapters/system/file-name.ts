/**
 * File names that every supported system takes, made from accounts and computers (which may hold anything). Windows'
 * rules are the narrower ones and hold everywhere, because archives travel. Leaves out names that people type: those are
 * checked, never changed.
 */
import { utf8 } from '../../bytes/bytes.ts';

/** Bytes of a name on ext4, XFS, NTFS (there UTF-16 units, which are never more). */
export const longestNameBytes = 255;
/** What a made name may use: leaves room for a temporary neighbour's ending. */
const longestMadeBytes = 200;

const reserved = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;
// Control characters, what Windows forbids, and marks that turn the reading direction (a name must not look like another).

const unsafe = /[\u0000-\u001f\u007f-\u009f<>:"/\\|?*\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** `name` with unsafe characters replaced by `_`; never empty, reserved, hidden or too long. Keeps the extension. */
export function safeFileName(name: string): string {
  const replaced = name
    .toWellFormed()
    .replace(unsafe, '_')
    .replace(/[. ]+$/, '')
    .replace(/^[. ]+/, '_');
  const usable = replaced === '' || reserved.test(replaced) ? `_${replaced}` : replaced;
  return shorten(usable, longestMadeBytes);
}

/** Why `name` cannot be a file name on this system; undefined where it can. */
export function nameProblem(name: string, windows: boolean): string | undefined {
  if (utf8(name).length > longestNameBytes) return 'the name is too long';
  if (!windows) return undefined;
  if (reserved.test(name)) return 'the name is reserved by Windows';
  if (/[. ]$/.test(name)) return 'Windows drops a dot or blank at the end';
  // A colon would name an alternate data stream.

  return /[\u0000-\u001f<>:"|?*]/.test(name) ? 'Windows does not allow one of its characters' : undefined;
}

function shorten(name: string, maximumBytes: number): string {
  if (utf8(name).length <= maximumBytes) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= 16 ? name.slice(dot) : '';
  let shortened = '';
  let bytes = utf8(extension).length;
  for (const character of name.slice(0, name.length - extension.length)) {
    bytes += utf8(character).length;
    if (bytes > maximumBytes) break;
    shortened += character;
  }
  return shortened + extension;
}
