/** The watching eye. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className="logo">
      <path d="M2.500 16C6.200 9.700 10.700 6.500 16 6.500S25.800 9.700 29.500 16c-3.700 6.300-8.200 9.500-13.500 9.500S6.200 22.300 2.500 16Z" fill="none" stroke="currentColor" strokeWidth="2.600" strokeLinejoin="round" />
      <circle cx="16" cy="16" r="6" fill="var(--focus)" />
      <circle cx="16" cy="16" r="2.300" fill="var(--ink)" />
    </svg>
  );
}
