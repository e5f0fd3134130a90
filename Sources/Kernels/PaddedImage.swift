import CKernels

/// Images of a batch, one at a time with the padding around it: a copy, or, without padding, where
/// they lie.
struct PaddedImage {
  /// Floats from one row to the next.
  let stride: Int
  private let windows: CWindows
  private let kernels: CConvolutions
  /// Its padding is zero, and stays so.
  private let copy: AlignedBuffer?

  /// - Parameter isCopied: whether there is a copy even without padding, for kernels that read a
  ///   float more.
  init(_ windows: ImageWindows, _ kernels: CConvolutions, isCopied: Bool) {
    let padding = windows.padding
    stride = (windows.width + padding.left + padding.right) * windows.channels
    self.windows = windows.raw
    self.kernels = kernels
    let isNeeded = isCopied || windows.paddedSize > windows.imageSize
    copy = isNeeded ? AlignedBuffer(count: windows.paddedSize + 1) : nil
  }

  /// The upper left corner of `image`, valid until the next one.
  func of(_ image: UnsafePointer<Float>) -> UnsafePointer<Float> {
    guard let copy else { return image }
    withUnsafePointer(to: windows) { kernels.pad($0, image, copy.base, stride) }
    return UnsafePointer(copy.base)
  }
}
