/** A page's own worker. One in each tab. */
import { serveStore } from './serve';

serveStore(self);
