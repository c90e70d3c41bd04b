/**
 * Starts a program that takes a share of one CPU until it is killed or this process is gone.
 * @param percent 1 to 99
 * @param cpu its number; null for any
 */
export function startNeighbour(percent: number, cpu: number | null): { kill(): void };
