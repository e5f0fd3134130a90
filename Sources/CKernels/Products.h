// Matrix products. A part of the table of a kernel set: see CKernels.h.
#ifndef CKERNELS_PRODUCTS_H
#define CKERNELS_PRODUCTS_H

#include <stdbool.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

// What happens to a finished sum before it is stored.
typedef enum CFinish {
  CFinishNone,
  CFinishReLU,  // max(sum, 0); NaN stays NaN
  CFinishMask,  // the sum where mask > 0, else 0
} CFinish;

// How a left operand lies in memory. Its element (i, d) is
typedef enum CLeftForm {
  CLeftRows,     // left[i * leftStride + d]
  CLeftColumns,  // left[d * leftStride + i]
  CLeftSpread,   // where spreadLeft has written it: all of it is one block, in one run
} CLeftForm;

// One block of a product: result (rows x columns) = start + left right, each sum a chain of
// multiply-adds (fused where the CPU has it) from its start on, in the order of depth. `columns`
// beyond the last whole vector may be read from `right`, not from any other operand.
typedef struct CProduct {
  long rows;
  long columns;
  // The depth is `runs` times `depth` elements: operands go on from one run to the next at other
  // distances than within a run.
  long depth;
  long runs;
  // An element of the next run lies leftRun behind.
  const float *left;
  CLeftForm leftForm;
  long leftStride;
  long leftRun;
  // Element (d, j) is right[j / tileColumns * panelStride + d * rightStride + j % tileColumns]; that
  // of the next run lies rightRun behind.
  const float *right;
  long rightStride;
  long rightRun;
  long panelStride;
  // Of one run: where each panel of `right`, which lies in rows, is packed as it is first read, for
  // all but the first tiles to read it there; a panel lies copyStride behind the one before, or in
  // its place. None: all tiles read `right`.
  float *_Nullable copy;
  long copyStride;
  // Element (i, j) is start[i * startStride + j]; none: zero. It may be `result`.
  const float *_Nullable start;
  long startStride;
  float *result;
  long resultStride;
  CFinish finish;
  const float *_Nullable mask;
  long maskStride;
} CProduct;

// How a sum over rows is cut into shards: shard s ends before row ends[s] and is then added to the
// last merges[s] of the partial sums that wait in `waiting`, one tile each.
typedef struct CShards {
  long count;
  const long *ends;
  const int8_t *merges;
  float *waiting;
} CShards;

// Matrix products.
typedef struct CProducts {
  // The register tile: tileRows x tileColumns sums; tileColumns is also the width of a packed panel
  // of the right operand.
  long tileRows;
  long tileColumns;
  // Floats of a vector.
  long lanes;
  // The most rows of multiplyRows.
  long streamedRows;

  void (*multiply)(const CProduct *product);
  // The same with a left operand of columns, or spread, and one run: result = start + the sum of
  // the shards' products, each from zero.
  void (*multiplyShards)(const CProduct *product, const CShards *shards);
  // The same for one run, up to streamedRows rows and whole vectors of columns, with operands as
  // they lie in memory (not transposed, rightStride; no panels).
  void (*multiplyRows)(const CProduct *product);

  // Writes each of rows x depth elements of a left operand to all lanes of a vector, in the order of
  // the tiles of a block: for CPUs that can't spread an element as it is loaded, and none elsewhere.
  // Element (i, d) is source[i * rowStride + d * depthStride].
  void (*_Nullable spreadLeft)(long rows, long depth, const float *source, long rowStride,
                               long depthStride, float *block);
  // Packs `columns` x `depth` elements of a right operand into panels of tileColumns, `panelStride`
  // apart: panel[d * tileColumns + j], with zeros up to the end of the last vector.
  // From source[d * stride + j]:
  void (*packRows)(long columns, long depth, const float *source, long stride, float *panels,
                   long panelStride);
  // From source[j * stride + d]:
  void (*packColumns)(long columns, long depth, const float *source, long stride, float *panels,
                      long panelStride);
} CProducts;

#pragma clang assume_nonnull end

#endif
