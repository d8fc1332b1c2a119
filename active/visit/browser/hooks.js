/*
 * Runs in every frame before the page's own scripts: tells what they decode, write, start and ask for,
 * and plays the browser that the personality claims to be.  `tell` is a DevTools binding under a name
 * that is drawn for each look; it is taken off the page before anybody else can see it.
 */
(function (config) {
	'use strict';
	const tell = window[config.binding];
	delete window[config.binding];
	if (typeof tell !== 'function')
		return;
	const stringify = JSON.stringify, apply = Reflect.apply, construct = Reflect.construct;
	const shown = new WeakMap();
	let left = 3000;
	const say = (kind, ...values) => {
		if (left-- <= 0)
			return;
		try {
			tell(stringify([kind, ...values.map(v => typeof v === 'string' ? v.slice(0, 65536) : v)]));
		} catch (e) {
		}
	};
	/* A proxy of the native function, which shows the native function's text. */
	const watch = (object, name, before, after) => {
		const native = object && object[name];
		if (typeof native !== 'function')
			return;
		const proxy = new Proxy(native, {
			apply(target, self, args) {
				const given = before ? before(args) || args : args;
				const result = apply(target, self, given);
				if (after)
					after(result, given);
				return result;
			},
			construct(target, args, as) {
				if (before)
					before(args);
				return construct(target, args, as);
			},
		});
		shown.set(proxy, native);
		try {
			Object.defineProperty(object, name, {value: proxy, writable: true, configurable: true,
				enumerable: Object.prototype.propertyIsEnumerable.call(object, name)});
		} catch (e) {
		}
	};
	const text_of = Function.prototype.toString;
	const text_proxy = new Proxy(text_of, {
		apply: (target, self, args) => apply(target, shown.has(self) ? shown.get(self) : self, args),
	});
	shown.set(text_proxy, text_of);
	Object.defineProperty(Function.prototype, 'toString', {value: text_proxy, writable: true, configurable: true});

	const decoded = name => (result, args) => {
		if (typeof result === 'string' && result.length > 15)
			say('decoded', name, result.length, result);
	};
	/* Not eval and Function: a wrapped eval is another function; the debugger tells of all code anyway. */
	watch(window, 'unescape', null, decoded('unescape'));
	watch(window, 'atob', null, decoded('atob'));
	watch(window, 'decodeURIComponent', null, decoded('decodeURIComponent'));
	watch(window, 'decodeURI', null, decoded('decodeURI'));
	watch(String, 'fromCharCode', null, decoded('fromCharCode'));
	watch(Document.prototype, 'write', args => { say('write', args.join('').length, args.join('')); });
	watch(Document.prototype, 'writeln', args => { say('write', args.join('').length, args.join('')); });
	watch(Document.prototype, 'createElement', args => {
		if (/^i?frame|^object|^embed|^applet/i.test(String(args[0])))
			say('element', String(args[0]).toLowerCase());
	});
	/* A time bomb of a minute goes off within a second; whoever measures it meets a fast clock only there. */
	let bombs = 0;
	const timer = args => {
		const wait = Number(args[1]) || 0;
		say('timer', wait, typeof args[0] === 'string' ? args[0] : '');
		if (wait > 1000 && wait <= 120000 && bombs++ < 20)
			return [args[0], 1000, ...Array.prototype.slice.call(args, 2)];
	};
	watch(window, 'setTimeout', timer);
	watch(window, 'setInterval', args => { say('timer', 0, typeof args[0] === 'string' ? args[0] : ''); });
	watch(window, 'Worker', args => { say('worker', String(args[0])); });
	watch(window, 'SharedWorker', args => { say('worker', String(args[0])); });
	watch(window.ServiceWorkerContainer && ServiceWorkerContainer.prototype, 'register', args => {
		say('worker', String(args[0]));
	});
	for (const name of ['instantiate', 'compile', 'instantiateStreaming', 'compileStreaming', 'Module'])
		watch(window.WebAssembly, name, () => { say('wasm'); });
	watch(window.Clipboard && Clipboard.prototype, 'writeText', args => { say('clipboard', String(args[0])); });
	watch(Document.prototype, 'execCommand', args => {
		if (/copy|cut/i.test(String(args[0])))
			say('clipboard', String(document.getSelection()) ||
				(document.activeElement && document.activeElement.value) || '');
	});
	watch(window.Notification, 'requestPermission', () => { say('notification'); });
	watch(Element.prototype, 'requestFullscreen', () => { say('fullscreen'); });
	watch(HTMLCanvasElement.prototype, 'toDataURL', () => { say('fingerprint', 'canvas'); });
	watch(window, 'AudioContext', () => { say('fingerprint', 'audio'); });
	watch(window, 'OfflineAudioContext', () => { say('fingerprint', 'audio'); });
	watch(window.WebGLRenderingContext && WebGLRenderingContext.prototype, 'getParameter', () => {
		say('fingerprint', 'webgl');
	});

	/* What the personality claims. */
	const claim = (object, name, get) => {
		const getter = {get value() { return get(); }};
		const f = Object.getOwnPropertyDescriptor(getter, 'value').get;
		const native = Object.getOwnPropertyDescriptor(object, name);
		if (native && native.get)
			shown.set(f, native.get);
		try {
			Object.defineProperty(object, name, {get: f, configurable: true, enumerable: true});
		} catch (e) {
		}
	};
	claim(Navigator.prototype, 'webdriver', () => {
		say('webdriver');
		return false;
	});
	const plugins = config.plugins.map(p => {
		const space = p.lastIndexOf(' ');
		const name = p.slice(0, space), version = p.slice(space + 1);
		const known = {
			flash: ['Shockwave Flash', 'Shockwave Flash ' + version.split('.').slice(0, 2).join('.') + ' r' +
				(version.split('.')[2] || '0'), 'application/x-shockwave-flash', 'swf'],
			java: ['Java(TM) Platform SE', 'Next Generation Java Plug-in ' + version + ' for Mozilla browsers',
				'application/x-java-applet;version=' + version, ''],
			reader: ['Adobe Acrobat', 'Adobe PDF Plug-In For Firefox and Netscape ' + version, 'application/pdf', 'pdf'],
			silverlight: ['Silverlight Plug-In', version, 'application/x-silverlight-2', ''],
		}[name] || [name, name + ' ' + version, 'application/x-' + name, ''];
		const plugin = {name: known[0], description: known[1], version, filename: 'np' + name + '.dll', length: 1};
		plugin[0] = {type: known[2], suffixes: known[3], description: known[1], enabledPlugin: plugin};
		return plugin;
	});
	const listed = (items, key, kind) => {
		const list = items.slice();
		list.item = i => list[i] || null;
		list.namedItem = name => list.find(x => x[key] === name) || null;
		list.refresh = () => undefined;
		return new Proxy(list, {
			get(target, name) {
				if (typeof name === 'string' && name !== 'length')
					say('plugin', kind, name);
				return name in target ? target[name] :
					typeof name === 'string' ? target.find(x => x[key] === name) : undefined;
			},
		});
	};
	if (plugins.length) {
		claim(Navigator.prototype, 'plugins', () => listed(plugins, 'name', 'plugins'));
		claim(Navigator.prototype, 'mimeTypes', () => listed(plugins.map(p => p[0]), 'type', 'mimeTypes'));
		claim(Navigator.prototype, 'javaEnabled', () => () => {
			say('plugin', 'java', 'javaEnabled');
			return true;
		});
	} else {
		for (const name of ['plugins', 'mimeTypes']) {
			const native = Object.getOwnPropertyDescriptor(Navigator.prototype, name);
			claim(Navigator.prototype, name, () => {
				say('plugin', name, '');
				return native.get.call(navigator);
			});
		}
	}
	/* Asked for by whoever looks for an old Internet Explorer; each name is told, and the harmless half answers. */
	const control = function (name) {
		say('activex', String(name));
		if (!config.activex || !/flash|java|pdf|xmlhttp|domdocument/i.test(String(name)))
			throw new Error('Automation server can\'t create object');
		const object = {};
		return new Proxy(object, {
			get(target, key) {
				if (typeof key === 'string')
					say('activex', String(name) + '.' + key);
				if (key === 'GetVariable')
					return () => 'WIN 11,2,202,228';
				if (key === 'GetVersions')
					return () => 'EScript=10.1,Accessibility=10.1';
				return target[key];
			},
			set(target, key, value) {
				target[key] = value;
				return true;
			},
		});
	};
	if (config.activex) {
		window.ActiveXObject = control;
		try {
			Object.defineProperty(document, 'documentMode', {value: 8, configurable: true});
		} catch (e) {
		}
	} else {
		try {
			Object.defineProperty(window, 'ActiveXObject', {configurable: true, enumerable: false, get() {
				say('activex', '');
				return undefined;
			}, set(value) {
				Object.defineProperty(window, 'ActiveXObject', {value, writable: true, configurable: true});
			}});
		} catch (e) {
		}
	}
})
