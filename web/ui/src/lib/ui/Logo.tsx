/** The watching eye, with its beam. */
export function Logo({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden className="logo">
      <path d="M4 16c3.400-5.200 7.400-7.800 12-7.800S24.600 10.800 28 16c-3.400 5.200-7.400 7.800-12 7.800S7.400 21.200 4 16Z" fill="none" stroke="currentColor" strokeWidth="2.400" strokeLinejoin="round" />
      <path d="M16 16 29 4.500v8Z" fill="var(--focus)" />
      <circle cx="16" cy="16" r="4" fill="var(--focus)" stroke="var(--s1)" strokeWidth="1" />
    </svg>
  );
}
