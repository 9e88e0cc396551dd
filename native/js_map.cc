/** BpfMap of addon.ts. */
#include <algorithm>

#include "env.h"

namespace kbtop {

namespace {

class JsMap : public Napi::ObjectWrap<JsMap> {
 public:
  explicit JsMap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<JsMap>(info) {
    const Napi::Env env = info.Env();
    Instance& instance = Instance::of(env);
    object_ = std::move(instance.pending_object);
    if (!object_) throw Napi::TypeError::New(env, "use BpfObject.map()");
    name_ = instance.pending_name;
    const Map& map = object_->map(name_);
    const auto fact = [&](const char* key, double value) {
      return Napi::PropertyDescriptor::Value(key, Napi::Number::New(env, value), napi_enumerable);
    };
    info.This().As<Napi::Object>().DefineProperties({
        Napi::PropertyDescriptor::Value("name", Napi::String::New(env, map.name), napi_enumerable),
        fact("type", map.type),
        fact("keySize", map.key_size),
        fact("valueSize", map.value_size),
        fact("maxEntries", map.max_entries),
        fact("id", map.id),
    });
  }

  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "BpfMap",
                       {
                           InstanceMethod<&JsMap::read>("read"),
                           InstanceMethod<&JsMap::lookup>("lookup"),
                           InstanceMethod<&JsMap::update>("update"),
                           InstanceMethod<&JsMap::remove>("delete"),
                       });
  }

  Map& map() const { return object_->map(name_); }

 private:
  std::vector<Fold> folds_argument(const Map& map, const Napi::Value& value) const {
    std::vector<Fold> folds(map.word_count(), Fold::kSum);
    if (value.IsUndefined()) return folds;
    const std::vector<std::string> names = names_argument(value, "folds");
    if (names.size() > folds.size()) {
      throw argument_failure("map " + name_ + " has " + std::to_string(folds.size()) + " words, not " + std::to_string(names.size()));
    }
    for (size_t i = 0; i < names.size(); i++) {
      if (names[i] != "sum" && names[i] != "max") throw argument_failure("folds must be 'sum' or 'max', not '" + names[i] + "'");
      folds[i] = names[i] == "max" ? Fold::kMax : Fold::kSum;
    }
    return folds;
  }

  /** The current buffers; empty when JavaScript has transferred one away. */
  Columns columns(const Map& map) const {
    if (keys_.IsEmpty()) return {};
    Napi::ArrayBuffer keys = keys_.Value().As<Napi::ArrayBuffer>(), words = words_.Value().As<Napi::ArrayBuffer>();
    if (keys.ByteLength() != capacity_ * map.key_size || words.ByteLength() != capacity_ * map.word_count() * sizeof(double)) return {};
    return {static_cast<uint8_t*>(keys.Data()), static_cast<double*>(words.Data()), capacity_};
  }

  Columns grow(Napi::Env env, const Map& map, size_t rows, size_t used) {
    const Columns old = columns(map);
    const size_t capacity = std::max(rows, std::min<size_t>(std::max<size_t>(2 * capacity_, 64), map.max_entries));
    Napi::ArrayBuffer keys = Napi::ArrayBuffer::New(env, capacity * map.key_size);
    Napi::ArrayBuffer words = Napi::ArrayBuffer::New(env, capacity * map.word_count() * sizeof(double));
    const Columns grown = {static_cast<uint8_t*>(keys.Data()), static_cast<double*>(words.Data()), capacity};
    if (used > 0) {
      memcpy(grown.keys, old.keys, used * map.key_size);
      for (size_t w = 0; w < map.word_count(); w++) {
        memcpy(grown.words + w * capacity, old.words + w * old.capacity, used * sizeof(double));
      }
    }
    keys_ = Napi::Persistent(keys.As<Napi::Object>());
    words_ = Napi::Persistent(words.As<Napi::Object>());
    capacity_ = capacity;
    result_.Reset();
    return grown;
  }

  Napi::Value read(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      Map& map = this->map();
      map.require_readable();
      const std::vector<Fold> folds = folds_argument(map, info[0]);
      Columns at = columns(map);
      if (!at.keys) at = grow(env, map, 1, 0);
      const size_t count = map.read(folds, at, [&](size_t rows, size_t used) { return grow(env, map, rows, used); });
      return result(env, map, count);
    });
  }

  /** Views of the filled part; the last ones again when nothing has moved. */
  Napi::Value result(Napi::Env env, const Map& map, size_t count) {
    if (!result_.IsEmpty() && count == result_count_) return result_.Value();
    Napi::Array words = Napi::Array::New(env, map.word_count());
    const Napi::ArrayBuffer buffer = words_.Value().As<Napi::ArrayBuffer>();
    for (uint32_t w = 0; w < map.word_count(); w++) {
      words.Set(w, Napi::Float64Array::New(env, count, buffer, w * capacity_ * sizeof(double)));
    }
    Napi::Object value = Napi::Object::New(env);
    value["count"] = Napi::Number::New(env, static_cast<double>(count));
    value["keys"] = Napi::Uint8Array::New(env, count * map.key_size, keys_.Value().As<Napi::ArrayBuffer>(), 0);
    value["words"] = words;
    result_ = Napi::Persistent(value);
    result_count_ = count;
    return value;
  }

  const uint8_t* key_argument(const Map& map, const Napi::Value& value) const {
    const Bytes key = bytes_argument(value, "key");
    if (key.size != map.key_size) {
      throw argument_failure("keys of map " + name_ + " have " + std::to_string(map.key_size) + " bytes, not " + std::to_string(key.size));
    }
    return key.data;
  }

  Napi::Value lookup(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&]() -> Napi::Value {
      const Map& map = this->map();
      const auto value = map.lookup(key_argument(map, info[0]));
      if (!value) return env.Null();
      auto array = Napi::Uint8Array::New(env, value->size());
      memcpy(array.Data(), value->data(), value->size());
      return array;
    });
  }

  Napi::Value update(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&] {
      const Map& map = this->map();
      const uint8_t* key = key_argument(map, info[0]);
      const Bytes value = bytes_argument(info[1], "value");
      if (value.size != map.value_size && value.size != map.full_value_size()) {
        throw argument_failure("values of map " + name_ + " have " + std::to_string(map.value_size) + " bytes, not " + std::to_string(value.size));
      }
      double flags = 0;
      if (!info[2].IsUndefined()) {
        if (!info[2].IsNumber()) throw argument_failure("flags must be a number");
        flags = info[2].As<Napi::Number>();
        if (!(flags >= 0 && flags <= 0xffffffff)) throw argument_failure("flags must be from 0 to 2^32-1");
      }
      map.update(key, value.data, value.size, static_cast<uint64_t>(flags));
      return env.Undefined();
    });
  }

  Napi::Value remove(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&]() -> Napi::Value {
      const Map& map = this->map();
      return Napi::Boolean::New(info.Env(), map.remove(key_argument(map, info[0])));
    });
  }

  std::shared_ptr<Object> object_;
  std::string name_;
  Napi::ObjectReference keys_, words_, result_;
  size_t capacity_ = 0;
  size_t result_count_ = 0;
};

}  // namespace

const Map& map_argument(const Napi::Value& value, const std::string& what) {
  const Napi::Env env = value.Env();
  if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(Instance::of(env).map_class.Value())) {
    throw argument_failure(what + " must be a map of a loaded object");
  }
  return JsMap::Unwrap(value.As<Napi::Object>())->map();
}

Napi::Function define_map_class(Napi::Env env) { return JsMap::define(env); }

Napi::Object new_map(Napi::Env env, const std::shared_ptr<Object>& object, const std::string& name) {
  object->map(name);
  Instance& instance = Instance::of(env);
  instance.pending_object = object;
  instance.pending_name = name;
  return instance.map_class.New({});
}

}  // namespace kbtop
