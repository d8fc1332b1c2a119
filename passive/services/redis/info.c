/* INFO: the lines of Redis 7.0, fewer for older ones; what names the machine comes from its seed. */
#include "passive/services/redis/redis.h"
#include "base/random.h"
#include "passive/persona.h"

#define INFO_MAX 16384

struct info_line {
	const char *section; /* NULL: of the same as before */
	const char *text;    /* template with %{info-names} of known() */
	uint8_t since;       /* major version */
};

static const struct info_line lines[] = {
	{"Server", "redis_version:%{version}", 0},
	{NULL, "redis_git_sha1:00000000", 0},
	{NULL, "redis_git_dirty:0", 0},
	{NULL, "redis_build_id:%{build}", 0},
	{NULL, "redis_mode:standalone", 0},
	{NULL, "os:%{os}", 0},
	{NULL, "arch_bits:64", 0},
	{NULL, "monotonic_clock:POSIX clock_gettime", 7},
	{NULL, "multiplexing_api:epoll", 0},
	{NULL, "atomicvar_api:%{atomic}", 4},
	{NULL, "gcc_version:%{gcc}", 0},
	{NULL, "process_id:%{pid}", 0},
	{NULL, "process_supervised:no", 7},
	{NULL, "run_id:%{run}", 0},
	{NULL, "tcp_port:6379", 0},
	{NULL, "server_time_usec:%{now_us}", 7},
	{NULL, "uptime_in_seconds:%{uptime}", 0},
	{NULL, "uptime_in_days:%{days}", 0},
	{NULL, "hz:10", 0},
	{NULL, "configured_hz:10", 5},
	{NULL, "lru_clock:%{lru}", 0},
	{NULL, "executable:%{executable}", 0},
	{NULL, "config_file:%{config}", 0},
	{NULL, "io_threads_active:0", 6},
	{"Clients", "connected_clients:1", 0},
	{NULL, "cluster_connections:0", 7},
	{NULL, "maxclients:10000", 7},
	{NULL, "client_recent_max_input_buffer:20480", 5},
	{NULL, "client_recent_max_output_buffer:0", 5},
	{NULL, "blocked_clients:0", 0},
	{NULL, "tracking_clients:0", 6},
	{NULL, "clients_in_timeout_table:0", 6},
	{"Memory", "used_memory:%{memory}", 0},
	{NULL, "used_memory_human:%{memory_human}", 0},
	{NULL, "used_memory_rss:%{rss}", 0},
	{NULL, "used_memory_rss_human:%{rss_human}", 4},
	{NULL, "used_memory_peak:%{peak}", 0},
	{NULL, "used_memory_peak_human:%{peak_human}", 0},
	{NULL, "used_memory_startup:876328", 4},
	{NULL, "total_system_memory:%{total}", 4},
	{NULL, "total_system_memory_human:%{total_human}", 4},
	{NULL, "used_memory_lua:32768", 0},
	{NULL, "used_memory_vm_eval:32768", 7},
	{NULL, "used_memory_lua_human:32.00K", 4},
	{NULL, "number_of_cached_scripts:%{scripts}", 5},
	{NULL, "number_of_functions:0", 7},
	{NULL, "maxmemory:0", 4},
	{NULL, "maxmemory_human:0B", 4},
	{NULL, "maxmemory_policy:noeviction", 4},
	{NULL, "mem_fragmentation_ratio:%{fragments}", 0},
	{NULL, "mem_allocator:%{allocator}", 0},
	{NULL, "active_defrag_running:0", 4},
	{NULL, "lazyfree_pending_objects:0", 4},
	{"Persistence", "loading:0", 0},
	{NULL, "async_loading:0", 7},
	{NULL, "rdb_changes_since_last_save:%{changes}", 0},
	{NULL, "rdb_bgsave_in_progress:0", 0},
	{NULL, "rdb_last_save_time:%{saved}", 0},
	{NULL, "rdb_last_bgsave_status:ok", 0},
	{NULL, "rdb_last_bgsave_time_sec:0", 0},
	{NULL, "rdb_current_bgsave_time_sec:-1", 0},
	{NULL, "aof_enabled:0", 0},
	{NULL, "aof_rewrite_in_progress:0", 0},
	{NULL, "aof_rewrite_scheduled:0", 0},
	{NULL, "aof_last_rewrite_time_sec:-1", 0},
	{NULL, "aof_current_rewrite_time_sec:-1", 0},
	{NULL, "aof_last_bgrewrite_status:ok", 0},
	{NULL, "aof_last_write_status:ok", 0},
	{"Stats", "total_connections_received:%{connections}", 0},
	{NULL, "total_commands_processed:%{commands}", 0},
	{NULL, "instantaneous_ops_per_sec:0", 0},
	{NULL, "total_net_input_bytes:%{bytes_in}", 0},
	{NULL, "total_net_output_bytes:%{bytes_out}", 0},
	{NULL, "instantaneous_input_kbps:0.00", 0},
	{NULL, "instantaneous_output_kbps:0.00", 0},
	{NULL, "rejected_connections:0", 0},
	{NULL, "sync_full:0", 0},
	{NULL, "sync_partial_ok:0", 0},
	{NULL, "sync_partial_err:0", 0},
	{NULL, "expired_keys:0", 0},
	{NULL, "evicted_keys:0", 0},
	{NULL, "keyspace_hits:%{hits}", 0},
	{NULL, "keyspace_misses:%{misses}", 0},
	{NULL, "pubsub_channels:0", 0},
	{NULL, "pubsub_patterns:0", 0},
	{NULL, "latest_fork_usec:%{fork}", 0},
	{NULL, "migrate_cached_sockets:0", 0},
	{NULL, "total_error_replies:%{errors}", 7},
	{"Replication", "role:%{role}", 0},
	{NULL, "%{master}", 0},
	{NULL, "connected_slaves:0", 0},
	{NULL, "master_failover_state:no-failover", 7},
	{NULL, "master_replid:%{replication}", 4},
	{NULL, "master_replid2:0000000000000000000000000000000000000000", 4},
	{NULL, "master_repl_offset:0", 0},
	{NULL, "second_repl_offset:-1", 4},
	{NULL, "repl_backlog_active:0", 0},
	{NULL, "repl_backlog_size:1048576", 0},
	{NULL, "repl_backlog_first_byte_offset:0", 0},
	{NULL, "repl_backlog_histlen:0", 0},
	{"CPU", "used_cpu_sys:%{cpu_sys}", 0},
	{NULL, "used_cpu_user:%{cpu_user}", 0},
	{NULL, "used_cpu_sys_children:0.000000", 0},
	{NULL, "used_cpu_user_children:0.000000", 0},
	{"Modules", "", 5},
	{"Errorstats", "", 6},
	{"Cluster", "cluster_enabled:0", 0},
	{"Keyspace", "%{keyspace}", 0},
};

struct info {
	const struct redis_call *call;
	uint64_t seed, uptime_s, now_us, memory, total;
};

static void write_human(struct writer *w, uint64_t n)
{
	if (n < 1u << 20)
		write_fmt(w, "%.2fK", (double)n / 1024);
	else if (n < 1u << 30)
		write_fmt(w, "%.2fM", (double)n / (1u << 20));
	else
		write_fmt(w, "%.2fG", (double)n / (1u << 30));
}

static void write_run(struct writer *w, uint64_t seed, unsigned chars)
{
	for (unsigned i = 0; i < chars; i += 8) {
		seed = random_mix(seed);
		write_fmt(w, "%08x", (unsigned)seed);
	}
}

static void write_keyspace(const struct redis *r, struct writer *w)
{
	for (unsigned db = 0; db < REDIS_DATABASES; db++) {
		uint32_t n = redis_key_count(r, db), expires = 0;
		for (const struct redis_key *k = r->keys; k; k = k->next)
			expires += k->database == db && k->expires_us;
		if (n)
			write_fmt(w, "db%u:keys=%u,expires=%u,avg_ttl=0\r\n", db, n, expires);
	}
}

static void write_master(const struct redis *r, struct writer *w)
{
	if (r->master_host.len)
		write_fmt(w,
			  "master_host:%.*s\r\nmaster_port:%u\r\nmaster_link_status:down\r\n"
			  "master_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:0\r\n"
			  "slave_repl_offset:1\r\nslave_priority:100\r\nslave_read_only:1\r\n",
			  (int)r->master_host.len, (const char *)r->master_host.at, r->master_port);
}

static void write_machine(const struct info *i, struct bytes name, struct writer *w)
{
	const struct redis *r = i->call->redis;
	const struct redis_device *d = r->device;
	uint64_t seed = i->seed;
	char os[256];
	if (bytes_equal_text(name, "version"))
		write_text(w, d->version);
	else if (bytes_equal_text(name, "build"))
		write_run(w, seed, 16);
	else if (bytes_equal_text(name, "os")) {
		session_expand(i->call->session, d->os, os, sizeof os);
		write_text(w, os);
	} else if (bytes_equal_text(name, "atomic"))
		write_text(w, redis_since(r, 7, 0) ? "c11-builtin" : "atomic-builtin");
	else if (bytes_equal_text(name, "gcc"))
		write_text(w, redis_since(r, 7, 0) ? "12.2.0" : redis_since(r, 5, 0) ? "9.3.0" : "5.4.0");
	else if (bytes_equal_text(name, "allocator"))
		write_text(w, redis_since(r, 7, 0) ? "jemalloc-5.3.0" : "jemalloc-5.2.1");
	else if (bytes_equal_text(name, "pid"))
		write_fmt(w, "%u", (unsigned)(random_mix(seed ^ 1) % 1800 + 400));
	else if (bytes_equal_text(name, "run"))
		write_run(w, seed ^ i->now_us / 1000000 / (86400u * 30), 40);
	else if (bytes_equal_text(name, "replication"))
		write_run(w, seed ^ 2, 40);
	else if (bytes_equal_text(name, "executable"))
		write_text(w, d->executable);
	else if (bytes_equal_text(name, "config"))
		write_text(w, d->config_file);
	else if (bytes_equal_text(name, "role"))
		write_text(w, r->master_host.len ? "slave" : "master");
	else if (bytes_equal_text(name, "fragments"))
		write_fmt(w, "%.2f", 1.2 + (double)(seed % 900) / 100);
	else if (bytes_equal_text(name, "cpu_sys"))
		write_fmt(w, "%.6f", (double)i->uptime_s * 0.00081);
	else if (bytes_equal_text(name, "cpu_user"))
		write_fmt(w, "%.6f", (double)i->uptime_s * 0.00064);
}

static bool write_amount(const struct info *i, struct bytes name, struct writer *w)
{
	const struct redis *r = i->call->redis;
	uint64_t seed = i->seed, visits = i->uptime_s / 311 + seed % 97 + 1;
	const struct {
		const char *name;
		uint64_t amount;
	} amounts[] = {
		{"now_us", i->now_us},
		{"uptime", i->uptime_s},
		{"days", i->uptime_s / 86400},
		{"lru", i->now_us / 1000000 & 0xffffff},
		{"memory", i->memory},
		{"rss", i->memory * 3 + 5242880},
		{"peak", i->memory + 40960 + seed % 65536},
		{"total", i->total},
		{"scripts", r->script_count},
		{"changes", r->changes},
		{"saved", (r->saved_us ? r->saved_us : i->now_us - i->uptime_s * 1000000) / 1000000},
		{"connections", visits + r->id},
		{"commands", visits * 5 + r->commands},
		{"bytes_in", visits * 214 + seed % 300},
		{"bytes_out", visits * 4630 + seed % 3000},
		{"hits", visits * 2 + seed % 7},
		{"misses", visits / 3},
		{"fork", 300 + seed % 400},
		{"errors", visits / 4},
	};
	for (size_t n = 0; n < sizeof amounts / sizeof *amounts; n++)
		if (bytes_equal_text(name, amounts[n].name)) {
			write_fmt(w, "%llu", (unsigned long long)amounts[n].amount);
			return true;
		}
	if (bytes_equal_text(name, "memory_human"))
		write_human(w, i->memory);
	else if (bytes_equal_text(name, "rss_human"))
		write_human(w, i->memory * 3 + 5242880);
	else if (bytes_equal_text(name, "peak_human"))
		write_human(w, i->memory + 40960 + seed % 65536);
	else if (bytes_equal_text(name, "total_human"))
		write_human(w, i->total);
	else
		return false;
	return true;
}

static void write_line(const struct info *i, const char *text, struct writer *w)
{
	const char *open = strstr(text, "%{");
	const struct redis *r = i->call->redis;
	if (!open) {
		write_fmt(w, "%s\r\n", text);
		return;
	}
	struct bytes name = {(const uint8_t *)open + 2, strlen(open) - 3};
	if (bytes_equal_text(name, "keyspace")) {
		write_keyspace(r, w);
		return;
	}
	if (bytes_equal_text(name, "master")) {
		write_master(r, w);
		return;
	}
	write_bytes(w, text, (size_t)(open - text));
	if (!write_amount(i, name, w))
		write_machine(i, name, w);
	write_text(w, "\r\n");
}

static bool section_wanted(const struct redis_call *c, const char *section)
{
	if (c->count < 2)
		return true;
	for (size_t a = 1; a < c->count; a++)
		if (bytes_equal_nocase(c->arguments[a], section) ||
		    bytes_equal_nocase(c->arguments[a], "all") ||
		    bytes_equal_nocase(c->arguments[a], "default") ||
		    bytes_equal_nocase(c->arguments[a], "everything"))
			return true;
	return false;
}

void redis_info(const struct redis_call *c)
{
	struct persona_look look;
	const struct persona *p = session_persona(c->session);
	uint64_t seed = session_device_seed(c->session);
	uint8_t text[INFO_MAX];
	struct writer w = writer_of(text, sizeof text);
	persona_look(p ? p : &persona_plain, seed, session_local(c->session),
		     session_time_us(c->session), &look);
	struct info info = {.call = c,
			    .seed = random_mix(seed ^ 0x7265646973),
			    .uptime_s = look.uptime_s > 120 ? look.uptime_s - 60 : 60,
			    .now_us = session_time_us(c->session),
			    .total = (uint64_t)(p && p->memory_kb > 400000 ? p->memory_kb : 4039700) * 1024};
	info.memory = 864000 + info.seed % 90000 + 64u * c->redis->key_count;
	bool wanted = false, any = false;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		bool present = lines[i].since <= 3 || redis_since(c->redis, lines[i].since, 0);
		if (lines[i].section) {
			wanted = section_wanted(c, lines[i].section) && present;
			if (wanted)
				write_fmt(&w, "%s# %s\r\n", any ? "\r\n" : "", lines[i].section);
			any |= wanted;
		}
		if (wanted && present && *lines[i].text)
			write_line(&info, lines[i].text, &w);
	}
	reply_verbatim(c, writer_bytes(&w));
}
