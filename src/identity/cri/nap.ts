/** A pause that ends early when woken. Its timer does not keep the process alive. */
export class Nap {
  #wake: (() => void) | null = null;

  /** Resolves after `ms` milliseconds, or at the next wake(). One at a time. */
  take(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake(), Math.max(0, ms));
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = null;
  }
}
