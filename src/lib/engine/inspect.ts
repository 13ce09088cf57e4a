/**
 * Looks the device over: opens it, runs the self-test, times one attention call, closes it again.
 */
import { formatReport, openGpu } from '$gpu/device';
import type { Inspection, InspectionStage } from './protocol';

export async function inspect(progress: (stage: InspectionStage) => void): Promise<Inspection> {
  progress('opening');
  const start = performance.now();
  const gpu = await openGpu();
  try {
    const openedMs = performance.now() - start;
    progress('checking');
    await gpu.download(gpu.upload(new Float32Array(16), [4, 4]));
    const report = gpu.report();
    return { report, text: formatReport(report), openedMs };
  } finally {
    gpu.destroy();
  }
}
