/** RingBuffer of addon.ts. */
#include <algorithm>

#include "env.h"

namespace kbtop {

namespace {

constexpr size_t kDefaultBytes = 1 << 20;
/** Offsets are 32 bits wide. */
constexpr size_t kMaxBytes = size_t{1} << 30;

class JsRing : public Napi::ObjectWrap<JsRing> {
 public:
  explicit JsRing(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsRing>(info) {
    const Napi::Env env = info.Env();
    Instance& instance = Instance::of(env);
    object_ = std::move(instance.pending_object);
    if (!object_) throw Napi::TypeError::New(env, "use BpfObject.ring()");
    name_ = instance.pending_name;
    info.This().As<Napi::Object>().DefineProperties({
        Napi::PropertyDescriptor::Value("name", Napi::String::New(env, name_), napi_enumerable),
        Napi::PropertyDescriptor::Value("size", Napi::Number::New(env, static_cast<double>(ring().size())), napi_enumerable),
    });
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "RingBuffer", {InstanceMethod<&JsRing::drain>("drain"), InstanceMethod<&JsRing::pending>("pending")});
  }

 private:
  Ring& ring() const { return object_->ring(name_); }

  static size_t size_of(const Napi::ObjectReference& reference) {
    return reference.IsEmpty() ? 0 : reference.Value().As<Napi::ArrayBuffer>().ByteLength();
  }

  /** Buffers for `bytes` of records; the old ones when they are large enough and JavaScript has not transferred them away. */
  void reserve(Napi::Env env, size_t bytes) {
    const size_t capacity = bytes / 8 + 1;
    if (size_of(buffer_) < bytes) buffer_ = Napi::Persistent(Napi::ArrayBuffer::New(env, bytes).As<Napi::Object>());
    if (size_of(index_) < capacity * 8) index_ = Napi::Persistent(Napi::ArrayBuffer::New(env, capacity * 8).As<Napi::Object>());
  }

  Napi::Value drain(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      Ring& ring = this->ring();
      size_t bound = std::max(size_of(buffer_), kDefaultBytes);
      if (!info[0].IsUndefined()) {
        const double given = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
        if (!(given >= 1 && given <= kMaxBytes)) throw argument_failure("maxBytes must be from 1 to 2^30");
        bound = static_cast<size_t>(given);
      }
      Ring::Batch batch = drain_into(env, ring, bound);
      // A record larger than the bound would block the ring for ever.
      if (batch.needed > 0) batch = drain_into(env, ring, batch.needed);

      auto buffer = buffer_.Value().As<Napi::ArrayBuffer>(), index = index_.Value().As<Napi::ArrayBuffer>();
      Napi::Object value = Napi::Object::New(env);
      value["count"] = Napi::Number::New(env, batch.count);
      value["buffer"] = buffer;
      value["offsets"] = Napi::Uint32Array::New(env, batch.count, index, 0);
      value["lengths"] = Napi::Uint32Array::New(env, batch.count, index, index.ByteLength() / 8 * 4);
      value["more"] = Napi::Boolean::New(env, batch.more);
      return value;
    });
  }

  Ring::Batch drain_into(Napi::Env env, Ring& ring, size_t bound) {
    reserve(env, bound);
    auto* offsets = static_cast<uint32_t*>(index_.Value().As<Napi::ArrayBuffer>().Data());
    const size_t capacity = size_of(index_) / 8;
    return ring.drain(static_cast<uint8_t*>(buffer_.Value().As<Napi::ArrayBuffer>().Data()), bound, offsets, offsets + capacity, capacity);
  }

  Napi::Value pending(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      return Napi::Number::New(info.Env(), static_cast<double>(ring().pending()));
    });
  }

  std::shared_ptr<Object> object_;
  std::string name_;
  Napi::ObjectReference buffer_, index_;
};

}  // namespace

Napi::Function define_ring_class(Napi::Env env) { return JsRing::define(env); }

Napi::Object new_ring(Napi::Env env, const std::shared_ptr<Object>& object, const std::string& name) {
  object->ring(name);
  Instance& instance = Instance::of(env);
  instance.pending_object = object;
  instance.pending_name = name;
  return instance.ring_class.New({});
}

}  // namespace kbtop
