// The order of operations of a decoder-only transformer (pre-norm layers, grouped-query attention, SwiGLU), written
// once for both executors: single_token_decode.cpp, whose products are GEMV, and prefill_and_batched_decode.cpp, whose
// products are GEMM.
//
// Every thread of the pool runs the schedule on an executor object of its own. An operation returns when its thread may
// go on to the next one. Barriers are part of the executor, since they depend on how it splits the work. A product
// takes the matrix that is read next as an argument, to prefetch it.
#pragma once
#include "decoder/decoder.h"

namespace midline {

template <class Executor> void run_layer_schedule(const Weights& w, Executor& e) {
  e.embed();  // x = embeddings of the tokens
  for (size_t i = 0; i < w.layers.size(); i++) {
    const Layer& l = w.layers[i];
    const Matrix& next_layer = i + 1 < w.layers.size() ? w.layers[i + 1].qkv : w.head;
    e.begin_layer(static_cast<int>(i));
    e.norm(l.attention_norm, l.qkv);  // x += MLP output of the layer before; h = RMSNorm(x)
    e.qkv(l.qkv, l.out);              // q | k | v = h Wqkv
    if (e.cancelled()) return;
    e.rope_and_store();             // q, k, v += bias; q and k rotated; k and v written to the KV cache
    e.attention();                  // a = softmax(q k / sqrt(head_dim)) v
    e.out(l.out, l.gate_up);        // o = a Wout
    e.norm(l.ffn_norm, l.gate_up);  // x += o; h = RMSNorm(x)
    e.gate_up(l.gate_up, l.down);   // gate | up = h Wgate_up
    e.down(l.down, next_layer);     // MLP output = (silu(gate) * up) Wdown
  }
  e.head(w.output_norm, w.head);  // x += MLP output; logits = RMSNorm(x) Whead
}

}  // namespace midline
