/**
 * The Debian packages of which Wine consists here, as they were when the lane was last looked at: Wine 10 of Debian 13 with the
 * libraries that its 64-bit half needs without a screen, and zlib1.dll, which its own DLLs import. A mirror that has newer ones
 * serves those (apt checks them by Debian’s signature); one that serves other content under these versions is refused.
 */
export interface DebianPackage {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of the .deb file. */
  readonly sha256: string;
}

export const RELEASE = 'trixie';

export const PACKAGES: readonly DebianPackage[] = [
  {
    name: 'libc6',
    version: '2.41-12+deb13u5',
    sha256: 'b59b0625cd1a791375d40dab23a4d5d3d0641e3d0a773501becdc3725b7f99cf',
  },
  {
    name: 'libffi8',
    version: '3.4.8-2',
    sha256: '0ebdc340de33333639c3c63874cd4b15ac2e83dfa1ef3053b7eefaf4919f4f68',
  },
  {
    name: 'libgcc-s1',
    version: '14.2.0-19',
    sha256: '3c71917b490d1a17aed43196a2787a256ecf060526cdb20216a74bedc061b150',
  },
  {
    name: 'libgmp10',
    version: '2:6.3.0+dfsg-3',
    sha256: 'd0d0265eb01770f17afd0f7c8c0622f80479dcfbbe13653a0debeec61464e622',
  },
  {
    name: 'libgnutls30t64',
    version: '3.8.9-3+deb13u4',
    sha256: '18a8bdfd91c7e3bcb01719d55a2b56849c7160b34f1f52b1c4fdfdd41bf1352b',
  },
  {
    name: 'libhogweed6t64',
    version: '3.10.1-1',
    sha256: 'b059ed155115ac09da295322de48ee1ed58ef5fa45edcc9e12ff0e94636ef25f',
  },
  {
    name: 'libidn2-0',
    version: '2.3.8-2',
    sha256: '90b039bcdc4578f8e1c4935adf8dbb525e36a164deefdbbb8c45bac347d48278',
  },
  {
    name: 'liblzma5',
    version: '5.8.1-1+deb13u2',
    sha256: 'b38acab30f295bf1066a6632e31cbd0a1980f2924b38040cda131d5dea5384ec',
  },
  {
    name: 'libnettle8t64',
    version: '3.10.1-1',
    sha256: '1b03d4a9cd9c8143ba50fe6396f36937e901a317d492d179f4596862c1731cfe',
  },
  {
    name: 'libp11-kit0',
    version: '0.25.5-3',
    sha256: '784bf2063e166c8bc851a32623b74ebd85c499043a9d57c5bbd64fa63447f45a',
  },
  {
    name: 'libtasn1-6',
    version: '4.20.0-2+deb13u1',
    sha256: '23fec6e06583ce2bad9b2c04c9b485e90440e259b1abf8677cd80d3ce60831ad',
  },
  {
    name: 'libunistring5',
    version: '1.3-2',
    sha256: '6dd3490bef06ea1096f32d10766b7e016cf579bfae8451d1b7df15ce05b8aa46',
  },
  {
    name: 'libunwind8',
    version: '1.8.1-0.1',
    sha256: 'db21a86dd05c93413f0ef36282a9c64d32410d240f332273a53be1408bec1f62',
  },
  {
    name: 'libwine',
    version: '10.0~repack-6',
    sha256: '702c99d2fbaef2a4966667e0cdabd477ed1754c1b3b5d4476606eaf5fd6e1444',
  },
  {
    name: 'libz-mingw-w64',
    version: '1.3.1+dfsg-2',
    sha256: 'c4e6d6bfabe8b6d12c797736a3d762d83513b49f488d1aaf61d4526387a2dd3e',
  },
  {
    name: 'wine64',
    version: '10.0~repack-6',
    sha256: '4cdf8319d873c13210815c1aac18859a56ea21b0b2d35a3388dab881464ed488',
  },
];
