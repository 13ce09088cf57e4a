import { defineFiresideChat } from 'fireside-chat/widget';
import { mount } from 'svelte';
import Shop from './Shop.svelte';

defineFiresideChat({ app: document.body.dataset.app });
mount(Shop, { target: document.body });
