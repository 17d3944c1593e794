import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BusClosedError, type Bus } from '../bus/bus.js';

export interface BusHarness {
  /** A new bus; all buses of one harness reach each other. */
  create(): Bus;
  stop(): Promise<void>;
}

/** What every bus does, whatever carries it. */
export function describeBusContract(name: string, start: () => Promise<BusHarness>): void {
  describe(`bus contract: ${name}`, () => {
    let harness: BusHarness;
    let bus: Bus;

    beforeEach(async () => {
      harness = await start();
      bus = harness.create();
    });

    afterEach(async () => {
      await bus.close();
      await harness.stop();
    });

    it('delivers everything published after the confirmation, in order and byte for byte', async () => {
      const heard: Uint8Array[] = [];
      await bus.subscribe('a', (payload) => heard.push(Uint8Array.from(payload)));
      const sent = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte, 0, 255 - byte));
      const results = await Promise.all(sent.map((payload) => bus.publish('a', payload)));
      expect(results.every(Boolean)).toBe(true);
      await vi.waitFor(() => expect(heard).toEqual(sent));
    });

    it('carries empty and large payloads', async () => {
      const heard: number[] = [];
      await bus.subscribe('a', (payload) => heard.push(payload.length));
      await bus.publish('a', new Uint8Array(0));
      await bus.publish('a', new Uint8Array(1_000_000));
      await vi.waitFor(() => expect(heard).toEqual([0, 1_000_000]));
    });

    it('keeps channels apart', async () => {
      const heard: string[] = [];
      await bus.subscribe('a', () => heard.push('a'));
      await bus.subscribe('ab', () => heard.push('ab'));
      await bus.publish('b', Uint8Array.of(1));
      await bus.publish('ab', Uint8Array.of(1));
      await bus.publish('a', Uint8Array.of(1));
      await vi.waitFor(() => expect(heard).toEqual(['ab', 'a']));
    });

    it('does not deliver what nobody listened to', async () => {
      expect(await bus.publish('a', Uint8Array.of(1))).toBe(true);
      const heard: number[] = [];
      await bus.subscribe('a', ([byte]) => heard.push(byte ?? -1));
      await bus.publish('a', Uint8Array.of(2));
      await vi.waitFor(() => expect(heard).toEqual([2]));
    });

    it('is silent after the end of a subscription, and the channel can be taken again', async () => {
      const heard: string[] = [];
      const first = await bus.subscribe('a', () => heard.push('first'));
      await first.unsubscribe();
      await bus.subscribe('a', () => heard.push('second'));
      await first.unsubscribe();
      await bus.publish('a', Uint8Array.of(1));
      await vi.waitFor(() => expect(heard).toEqual(['second']));
    });

    it('refuses a second listener of a channel', async () => {
      await bus.subscribe('a', () => undefined);
      await expect(bus.subscribe('a', () => undefined)).rejects.toThrow(RangeError);
    });

    it('is connected once a subscription is confirmed, and not after it was closed', async () => {
      await bus.subscribe('a', () => undefined);
      expect(bus.connected).toBe(true);
      await bus.close();
      expect(bus.connected).toBe(false);
    });

    it('answers false and rejects subscriptions once closed', async () => {
      await bus.close();
      expect(await bus.publish('a', Uint8Array.of(1))).toBe(false);
      await expect(bus.subscribe('a', () => undefined)).rejects.toThrow(BusClosedError);
    });
  });
}
