/**
 * Asks Dawn for an adapter on the Vulkan driver that the environment names, and prints what it is as one line of JSON.
 * A process of its own: the Vulkan loader reads the environment once, and an unfit driver may take the process along.
 */
import { create } from 'webgpu';

// Dawn's object must outlive its adapters: were it collected, the process would abort.
const gpu = create([]);
const adapter = await gpu.requestAdapter();
console.log(JSON.stringify({ adapter: adapter ? adapter.info.description || adapter.info.vendor : null }));
process.exit(gpu ? 0 : 1);
