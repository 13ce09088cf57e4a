/**
 * The IQ types: a code is no number but a place in a fixed codebook.
 *
 *   IQ4_NL   d(2) codes(16)                               32 elements: NL[code] d, nibbles as in Q4_0
 *   IQ4_XS   d(2) high(2) low(4) codes(128)               8 groups of 32 with 6-bit scales: NL[code] (scale - 32) d
 *   IQ2_XXS  d(2) 8 x [places(4) signs and scale(4)]      8 groups of 32: a place names 8 magnitudes at once, 7 bits
 *                                                         name the signs of 8 elements, 4 bits are the scale
 */
import { f16At } from './plain_blocks';

/** IQ4's codebook: 16 levels, closer together near zero. */
export const NL_LEVELS: readonly number[] = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** IQ2_XXS's three magnitudes. */
export const MAGNITUDES: readonly number[] = [8, 25, 43];

/** IQ2_XXS's codebook: 256 places of four hex digits; element i of a place is magnitude number bits 2i and 2i + 1. */
const PLACES =
  '0000000200050008000a00110014002000220028002a00410044005000580061006400800082008a00a20101010401100115014001840198' +
  '020002020222028204010404041004210424044004420448046004810484049004a405000502050805200546056905800591060906100640' +
  '068406a40800080508080814082808410844085008520888090409400a020a14100110041010102110401060108410901095110011081120' +
  '1150115a1180122412451400140814201425144914801518156216001616180118041810184018811900190519a01a5120002002200a2044' +
  '20612080208221292148220022022401240424102440245625002541256426902808282028942a4440014004401040184021402440404048' +
  '4056406040814084409041004120416141804185420142104248425642684400440844204480449945124524460048014804481048404845' +
  '49004958496149824a454a9050005008501150195020508050885104514251a4529154905492550a56015654580058115819586459405a08' +
  '6004601060406068610061556218626064006405651065126584684280008002800a80418082810481188140821184018404841084158440' +
  '8460850085468594860986408660880289048a11900490109024904090a1911691809245940094229444955198819920a002a050a085a109' +
  'a200a418a850a904';

export function decodeIq4Nl(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  decodeLevels(bytes, at + 2, d, out, to);
}

export function decodeIq4Xs(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const high = bytes[at + 2]! | (bytes[at + 3]! << 8);
  for (let group = 0; group < 8; group++) {
    const low = (bytes[at + 4 + (group >> 1)]! >> ((group & 1) * 4)) & 15;
    const scale = low | (((high >> (group * 2)) & 3) << 4);
    decodeLevels(bytes, at + 8 + group * 16, d * (scale - 32), out, to + group * 32);
  }
}

function decodeLevels(bytes: Uint8Array, at: number, scale: number, out: Float32Array, to: number): void {
  for (let i = 0; i < 16; i++) {
    const pair = bytes[at + i]!;
    out[to + i] = scale * NL_LEVELS[pair & 15]!;
    out[to + i + 16] = scale * NL_LEVELS[pair >> 4]!;
  }
}

export function decodeIq2Xxs(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = f16At(bytes, at);
  const grid = placesGrid();
  for (let group = 0; group < 8; group++) {
    const places = at + 2 + group * 8;
    const word =
      bytes[places + 4]! | (bytes[places + 5]! << 8) | (bytes[places + 6]! << 16) | (bytes[places + 7]! << 24);
    const scale = d * (0.5 + (word >>> 28)) * 0.25;
    for (let part = 0; part < 4; part++) {
      const signs = allSigns((word >>> (part * 7)) & 127);
      const place = bytes[places + part]! * 8;
      for (let i = 0; i < 8; i++) {
        const magnitude = grid[place + i]!;
        out[to + group * 32 + part * 8 + i] = scale * ((signs >> i) & 1 ? -magnitude : magnitude);
      }
    }
  }
}

/** Seven sign bits are stored; the eighth makes their number even. */
function allSigns(seven: number): number {
  let parity = seven;
  parity ^= parity >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return seven | ((parity & 1) << 7);
}

/** IQ2_XXS's codebook, packed: magnitude number i of a place is its bits 2i and 2i + 1. */
export function packedPlaces(): readonly number[] {
  return Array.from({ length: 256 }, (_, place) => parseInt(PLACES.slice(place * 4, place * 4 + 4), 16));
}

let grid: Uint8Array | undefined;

/** [256, 8] magnitudes. */
function placesGrid(): Uint8Array {
  if (grid) return grid;
  grid = new Uint8Array(256 * 8);
  for (const [place, packed] of packedPlaces().entries()) {
    for (let i = 0; i < 8; i++) grid[place * 8 + i] = MAGNITUDES[(packed >> (2 * i)) & 3]!;
  }
  return grid;
}
