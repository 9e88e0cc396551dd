/** SVG to PNG with the fonts of package fonts-dejavu-core. */
import { existsSync } from 'node:fs';
import { Resvg } from '@resvg/resvg-js';

const FONTS = '/usr/share/fonts/truetype/dejavu';
const FILES = ['DejaVuSansMono.ttf', 'DejaVuSansMono-Bold.ttf', 'DejaVuSansMono-Oblique.ttf', 'DejaVuSansMono-BoldOblique.ttf', 'DejaVuSans.ttf'];

/**
 * @param scale pixels per unit of the SVG
 * @throws when the fonts are not installed
 */
export function toPng(svg: string, scale: number): Uint8Array {
  const fontFiles = FILES.map((file) => `${FONTS}/${file}`).filter((file) => existsSync(file));
  if (fontFiles.length === 0) throw new Error(`no fonts in ${FONTS}: install fonts-dejavu-core`);
  const options = { fitTo: { mode: 'zoom', value: scale }, font: { fontFiles, loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans Mono' } } as const;
  return new Resvg(svg, options).render().asPng();
}
