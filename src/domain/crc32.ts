/** CRC-32 as in zlib and PNG (reflected polynomial 0xEDB88320). One table step per character. */
export const CRC_TABLE: Int32Array = (() => {
  const table = new Int32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
    table[n] = c;
  }
  return table;
})();

/** The running state after `text` (ASCII); pass it on to continue. Start with -1. The checksum is `~state >>> 0`. */
export function crcState(text: string, state = -1): number {
  let crc = state;
  for (let i = 0; i < text.length; i++) {
    crc = (CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] as number) ^ (crc >>> 8);
  }
  return crc;
}

export function crc32(text: string): number {
  return ~crcState(text) >>> 0;
}
