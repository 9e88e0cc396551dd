/** One BPF object file from open to close: what is loaded, what is attached, who may still use it. */
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "descriptor.h"
#include "error.h"
#include "globals.h"
#include "map.h"
#include "ring.h"

struct bpf_link;
struct bpf_object;
struct bpf_program;

namespace kbtop {

/** A map of another object, to be used instead of one's own of that name. */
struct SharedMap {
  std::shared_ptr<const Descriptor> descriptor;
  uint32_t type;
  uint32_t key_size;
  uint32_t value_size;
};

struct OpenConfig {
  std::string name;
  /** Where the image came from, for messages: a path, or empty. */
  std::string path;
  std::map<std::string, bool> autoload;
  std::vector<std::pair<std::string, GlobalValue>> globals;
  std::map<std::string, uint32_t> max_entries;
  std::map<std::string, int64_t> map_flags;
  std::map<std::string, std::string> attach_targets;
  std::map<std::string, SharedMap> shared_maps;
  uint32_t log_level = 0;
};

struct ProgramResult {
  std::string program;
  bool ok = true;
  /** errno name; empty when ok. */
  std::string code;
  std::string reason;
  std::string log;
};

struct ProgramInfo {
  std::string name;
  std::string section;
  bool loaded;
  bool attached;
  uint32_t id;
  uint32_t link_id;
};

struct ObjectStats {
  uint64_t run_time_ns = 0;
  uint64_t run_count = 0;
};

/**
 * Used by one JavaScript thread, except `load()` and the `…_begun()`: they may run on any thread after their
 * `begin_…()`. Until `settle()` every other call fails, but `close()`, which a running one then carries out.
 */
class Object {
 public:
  /** @param image the ELF file. Throws Failure. */
  Object(std::vector<uint8_t> image, OpenConfig config);
  ~Object();
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  const std::string& name() const { return config_.name; }

  /** Throws Failure unless this object was just opened. */
  void begin_load();
  /** One result per program that was to be loaded; throws Failure when nothing could be loaded, or closed meanwhile. */
  std::vector<ProgramResult> load();

  /** @param names empty: every loaded program that its section says how to attach */
  std::vector<ProgramResult> attach(const std::vector<std::string>& names);
  void begin_attach(const std::vector<std::string>& names);
  std::vector<ProgramResult> attach_begun(const std::vector<std::string>& names);
  ProgramResult attach_cgroup(const std::string& program, const std::string& directory);
  ProgramResult attach_kprobe(const std::string& program, const std::string& function);
  void detach(const std::vector<std::string>& names);
  void begin_detach(const std::vector<std::string>& names);
  void detach_begun(const std::vector<std::string>& names);

  std::vector<ProgramInfo> programs() const;
  std::vector<std::string> map_names() const;
  Map& map(const std::string& name);
  Ring& ring(const std::string& name);
  std::vector<uint8_t> iterate(const std::string& program) const;

  struct Global {
    std::vector<uint8_t> bytes;
    bool scalar;
    bool is_signed;
  };
  Global get_global(const std::string& name);
  void set_global(const std::string& name, const GlobalValue& value);

  ObjectStats run_stats() const;
  /** Runs of the named programs (all when empty) that the kernel skipped. */
  uint64_t missed_runs(const std::vector<std::string>& names) const;

  /** Ends begun work on the JavaScript thread. Throws Failure ERR_BPF_CLOSED when closed since it began. */
  void settle();

  /** Detach and free everything, now or, while begun work runs, at its end. */
  void close();
  /** The same in two halves: unusable at once; true when `release_closed()` is to be called, on any thread. */
  bool begin_close();
  void release_closed() { release(); }

  /** Throws Failure ERR_BPF_CLOSED or ERR_BPF_STATE unless loaded and open, with no work under way. */
  void require_loaded() const;
  /** The same for what only maps and programs are needed for: attaching and detaching under way leave them alone. */
  void require_contents() const;

 private:
  enum class State { kOpen, kLoaded, kFailed, kClosed };
  /** Of what a `begin_…()` began; done is what JavaScript has not been told of. */
  enum class Work { kNone, kRunning, kDone };

  void open_image();
  Failure not_an_object(const std::string& why, Logs logs = {}) const;
  void configure();
  void write_initial(const std::string& name, const GlobalValue& value);
  /** Does begun work, then what was asked for meanwhile: a close. */
  std::vector<ProgramResult> finish(State good, State bad, const std::function<std::vector<ProgramResult>()>& work);
  std::vector<ProgramResult> load_what_can_be();
  void release();
  void require_usable() const;
  bool has_contents() const;
  bpf_program* find_program(const std::string& name) const;
  bpf_program* require_program(const std::string& name) const;
  void begin_work(const std::vector<std::string>& names);
  void detach_all(const std::vector<std::string>& names);
  std::vector<ProgramResult> attach_all(const std::vector<std::string>& names);
  ProgramResult attach_one(bpf_program* program);
  ProgramResult attach_kprobe_at(const bpf_program* program, const std::string& function);
  std::string attach_section(const bpf_program* program) const;
  bool is_attached(const std::string& name) const;
  void share_map(const std::string& name, const SharedMap& shared);
  void set_attach_targets();
  bool some_left() const;
  Failure nothing_loads(const Failure& last) const;
  Section& section(const Variable& variable);

  std::vector<uint8_t> image_;
  OpenConfig config_;
  bpf_object* object_ = nullptr;
  /** Programs that the kernel refused, left out of the next try. */
  std::map<std::string, ProgramResult> refused_;
  /** By program and place: a cgroup directory, a kprobe's function, or nothing for what the section says. */
  std::map<std::pair<std::string, std::string>, bpf_link*> links_;
  std::map<std::string, std::unique_ptr<Map>> maps_;
  std::map<std::string, std::unique_ptr<Ring>> rings_;
  std::map<bpf_map*, std::unique_ptr<Section>> sections_;

  mutable std::mutex mutex_;
  State state_ = State::kOpen;
  Work work_ = Work::kNone;
  bool close_requested_ = false;
};

}  // namespace kbtop
