import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { t } from '../i18n.js';
import { inDate, inDigits } from '../words.js';

export interface DayCount {
  /** `2026-11-30`, in UTC. */
  readonly day: string;
  readonly count: number;
}

const HEIGHT = 160;
/** Room for the days below. */
const BELOW = 24;
const TOP = 12;

/** A bar for each day, with the same numbers in a table. */
export function DayChart({ label, days }: { readonly label: string; readonly days: readonly DayCount[] }) {
  const id = useId();
  const most = Math.max(...days.map(({ count }) => count), 0);
  const scale = niceAbove(most);
  const { svg, width } = useWidth();
  /** Room for the numbers. */
  const left = 16 + 7 * inDigits(scale).length;
  const step = (width - left) / Math.max(days.length, 1);
  const heightOf = (count: number) => ((HEIGHT - BELOW - TOP) * count) / scale;
  const peak = days.find(({ count }) => count === most);
  const summary = t('chart.summary', {
    total: days.reduce((sum, { count }) => sum + count, 0),
    count: days.length,
    day: peak === undefined ? '' : dayOf(peak.day),
    most,
  });
  return (
    <figure class="chart">
      <svg ref={svg} viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-labelledby={id}>
        <title id={id}>{`${label}. ${summary}`}</title>
        {[0, scale / 2, scale].map((value) => (
          <g key={value} class="chart-line">
            <line x1={left} x2={width} y1={HEIGHT - BELOW - heightOf(value)} y2={HEIGHT - BELOW - heightOf(value)} />
            <text x={left - 8} y={HEIGHT - BELOW - heightOf(value) + 4} text-anchor="end">
              {inDigits(value)}
            </text>
          </g>
        ))}
        {days.map(({ day, count }, index) => (
          <rect
            key={day}
            class="chart-bar"
            x={left + index * step + step * 0.15}
            y={HEIGHT - BELOW - heightOf(count)}
            width={step * 0.7}
            height={heightOf(count)}
            rx="2"
          >
            <title>{`${dayOf(day)}: ${inDigits(count)}`}</title>
          </rect>
        ))}
        {[days[0], days.at(-1)].map(
          (each, index) =>
            each && (
              <text
                key={`${index}-${each.day}`}
                class="chart-day"
                x={index === 0 ? left : width}
                y={HEIGHT - 6}
                text-anchor={index === 0 ? 'start' : 'end'}
              >
                {dayOf(each.day)}
              </text>
            ),
        )}
      </svg>
      <figcaption>
        <p class="quiet">{summary}</p>
        <details>
          <summary>{t('chart.table')}</summary>
          <table class="small">
            <caption class="hidden">{label}</caption>
            <thead>
              <tr>
                <th scope="col">{t('chart.day')}</th>
                <th scope="col" class="number">
                  {t('token.calls')}
                </th>
              </tr>
            </thead>
            <tbody>
              {days.map(({ day, count }) => (
                <tr key={day}>
                  <th scope="row">{dayOf(day)}</th>
                  <td class="number">{inDigits(count)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      </figcaption>
    </figure>
  );
}

/** The width in pixels, so that a chart has as much room as the page gives it, and texts keep their size. */
function useWidth() {
  const svg = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(720);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(200, entry.contentRect.width)));
    observer.observe(svg.current as SVGSVGElement);
    return () => observer.disconnect();
  }, []);
  return { svg, width };
}

function dayOf(day: string): string {
  return inDate(new Date(`${day}T12:00:00`));
}

/** The next of 2, 4, 10, 20, 40, 100, … that is not below: its half is a whole number too. */
function niceAbove(value: number): number {
  for (let power = 1; ; power *= 10) {
    for (const each of [2, 4, 10]) if (each * power >= value) return each * power;
  }
}
