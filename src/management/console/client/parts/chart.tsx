import { useId } from 'preact/hooks';
import { t } from '../i18n.js';
import { inDate, inDigits } from '../words.js';

export interface DayCount {
  /** `2026-11-30`, in UTC. */
  readonly day: string;
  readonly count: number;
}

const WIDTH = 720;
const HEIGHT = 160;
/** Room for the numbers at the left, and the days below. */
const LEFT = 56;
const BELOW = 24;
const TOP = 12;

/** A bar for each day, with the same numbers in a table. */
export function DayChart({ label, days }: { readonly label: string; readonly days: readonly DayCount[] }) {
  const id = useId();
  const most = Math.max(...days.map(({ count }) => count), 0);
  const scale = niceAbove(most);
  const step = (WIDTH - LEFT) / Math.max(days.length, 1);
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
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-labelledby={id}>
        <title id={id}>{`${label}. ${summary}`}</title>
        {[0, scale / 2, scale].map((value) => (
          <g key={value} class="chart-line">
            <line x1={LEFT} x2={WIDTH} y1={HEIGHT - BELOW - heightOf(value)} y2={HEIGHT - BELOW - heightOf(value)} />
            <text x={LEFT - 8} y={HEIGHT - BELOW - heightOf(value) + 4} text-anchor="end">
              {inDigits(value)}
            </text>
          </g>
        ))}
        {days.map(({ day, count }, index) => (
          <rect
            key={day}
            class="chart-bar"
            x={LEFT + index * step + step * 0.15}
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
                x={index === 0 ? LEFT : WIDTH}
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

function dayOf(day: string): string {
  return inDate(new Date(`${day}T12:00:00`));
}

/** The next of 2, 4, 10, 20, 40, 100, … that is not below: its half is a whole number too. */
function niceAbove(value: number): number {
  for (let power = 1; ; power *= 10) {
    for (const each of [2, 4, 10]) if (each * power >= value) return each * power;
  }
}
