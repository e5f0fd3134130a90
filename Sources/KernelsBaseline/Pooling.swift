import CKernels

// Pooling, channels last: the innermost loops run over channels, and the compiler vectorises them.

/// Those pixels of a window that lie in the image, by row and column of the window.
@inline(__always)
private func pixels(_ w: CWindows, oy: Int, ox: Int) -> (rows: Range<Int>, columns: Range<Int>) {
  let (top, left) = (oy * w.strideY - w.paddingTop, ox * w.strideX - w.paddingLeft)
  let (firstRow, firstColumn) = (max(0, -top), max(0, -left))
  return (
    firstRow..<max(firstRow, min(w.kernelHeight, w.height - top)),
    firstColumn..<max(firstColumn, min(w.kernelWidth, w.width - left))
  )
}

/// Where pixel (ky, kx) of a window is, counted in floats from the batch's start.
@inline(__always)
private func offset(_ w: CWindows, image: Int, oy: Int, ox: Int, ky: Int, kx: Int) -> Int {
  let y = oy * w.strideY + ky - w.paddingTop
  let x = ox * w.strideX + kx - w.paddingLeft
  return ((image * w.height + y) * w.width + x) * w.channels
}

/// The window's number in the batch times its channels.
@inline(__always)
private func outputOffset(_ w: CWindows, image: Int, oy: Int, ox: Int) -> Int {
  ((image * w.outputHeight + oy) * w.outputWidth + ox) * w.channels
}

func maximumOfWindows(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ places: UnsafeMutablePointer<Int32>
) {
  let w = windows.pointee
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let output = outputOffset(w, image: image, oy: oy, ox: ox)
        let (best, place) = (y + output, places + output)
        for c in 0..<w.channels {
          best[c] = -.infinity
          place[c] = -1
        }
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        for ky in rows {
          for kx in columns {
            let pixel = x + offset(w, image: image, oy: oy, ox: ox, ky: ky, kx: kx)
            let number = Int32(truncatingIfNeeded: ky * w.kernelWidth + kx)
            for c in 0..<w.channels {
              // The first NaN wins; -infinity wins where there is nothing above it.
              let isBetter = !(pixel[c] <= best[c]) && best[c] == best[c] || place[c] < 0
              best[c] = isBetter ? pixel[c] : best[c]
              place[c] = isBetter ? number : place[c]
            }
          }
        }
      }
    }
  }
}

func maximumOfWindowsGradient(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ places: UnsafePointer<Int32>,
  _ dy: UnsafePointer<Float>, _ dx: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let output = outputOffset(w, image: image, oy: oy, ox: ox)
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        for ky in rows {
          for kx in columns {
            let pixel = dx + offset(w, image: image, oy: oy, ox: ox, ky: ky, kx: kx)
            let number = Int32(truncatingIfNeeded: ky * w.kernelWidth + kx)
            for c in 0..<w.channels {
              pixel[c] += places[output + c] == number ? dy[output + c] : 0
            }
          }
        }
      }
    }
  }
}

func averageOfWindows(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let sum = y + outputOffset(w, image: image, oy: oy, ox: ox)
        for c in 0..<w.channels { sum[c] = 0 }
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        for ky in rows {
          for kx in columns {
            let pixel = x + offset(w, image: image, oy: oy, ox: ox, ky: ky, kx: kx)
            for c in 0..<w.channels { sum[c] += pixel[c] }
          }
        }
        let share = 1 / Float(max(1, rows.count * columns.count))
        for c in 0..<w.channels { sum[c] *= share }
      }
    }
  }
}

func averageOfWindowsGradient(
  _ windows: UnsafePointer<CWindows>, _ images: Int, _ dy: UnsafePointer<Float>,
  _ dx: UnsafeMutablePointer<Float>
) {
  let w = windows.pointee
  for image in 0..<images {
    for oy in 0..<w.outputHeight {
      for ox in 0..<w.outputWidth {
        let gradient = dy + outputOffset(w, image: image, oy: oy, ox: ox)
        let (rows, columns) = pixels(w, oy: oy, ox: ox)
        let share = 1 / Float(max(1, rows.count * columns.count))
        for ky in rows {
          for kx in columns {
            let pixel = dx + offset(w, image: image, oy: oy, ox: ox, ky: ky, kx: kx)
            for c in 0..<w.channels { pixel[c] += gradient[c] * share }
          }
        }
      }
    }
  }
}

/// The kernels over images, for the table.
func imageTable() -> CImages {
  CImages(
    gather: gatherPatches, scatter: scatterPatches,
    maximum: maximumOfWindows, maximumGradient: maximumOfWindowsGradient,
    average: averageOfWindows, averageGradient: averageOfWindowsGradient)
}
