using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Cluster.Tests.Common;

/// <summary>An object of <see cref="S3Server"/>.</summary>
public sealed class S3Item
{
    private readonly byte[]? _content;
    private readonly SafeFileHandle? _file;

    private S3Item(byte[]? content, SafeFileHandle? file, long size, string etag) => (_content, _file, Size, ETag) = (content, file, size, etag);

    public long Size { get; }

    /// <summary>Without quotes.</summary>
    public string ETag { get; }

    /// <summary>A header with a checksum over the whole object; null for none.</summary>
    public (string Header, string Value)? Checksum { get; init; }

    /// <summary>Sent in one piece: its ETag is its MD5.</summary>
    public static S3Item Of(byte[] content, string? etag = null) => new(content, null, content.Length, etag ?? Md5(content));

    /// <summary>Sent in parts: its ETag is the MD5 of their MD5s, and the number of parts.</summary>
    public static S3Item InParts(byte[] content, int partSize, (string Header, string Value)? checksum = null)
    {
        var parts = content.Chunk(partSize).Select(MD5Of).ToList();
        return new(content, null, content.Length, string.Create(CultureInfo.InvariantCulture, $"{Md5([.. parts.SelectMany(static part => part)])}-{parts.Count}")) { Checksum = checksum };
    }

    /// <summary>A file, read when it is asked for.</summary>
    public static S3Item OfFile(SafeFileHandle file, string etag) => new(null, file, RandomAccess.GetLength(file), etag);

    internal void Read(long offset, Span<byte> target)
    {
        if (_content is not null)
        {
            _content.AsSpan((int)offset, target.Length).CopyTo(target);
            return;
        }

        while (!target.IsEmpty)
        {
            var read = RandomAccess.Read(_file!, target, offset);
            target = target[read..];
            offset += read;
        }
    }

    private static string Md5(byte[] content) => Convert.ToHexStringLower(MD5Of(content));

#pragma warning disable CA5351 // As S3 makes ETags.
    private static byte[] MD5Of(byte[] content) => MD5.HashData(content);
#pragma warning restore CA5351
}

/// <summary>A request that came.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Method">LIST, HEAD or GET.</param>
/// <param name="Key">The object, or the prefix of a listing.</param>
/// <param name="Range">The header; empty for none.</param>
/// <param name="IfMatch">The header; empty for none.</param>
public sealed record S3Call(int Number, string Method, string Key, string Range, string IfMatch);

/// <summary>What goes wrong with a call.</summary>
public sealed record S3Fault
{
    /// <summary>Answers with this status and <see cref="Code"/>.</summary>
    public int? Status { get; init; }

    public string Code { get; init; } = "SlowDown";

    /// <summary>Ends the connection after so many bytes of the body.</summary>
    public long? CutAfter { get; init; }

    /// <summary>Answers with this ETag, also where another is asked for.</summary>
    public string? ETag { get; init; }

    /// <summary>After its first piece the body waits for it.</summary>
    public Task? Hold { get; init; }

    /// <summary>Called before the request is looked at.</summary>
    public Action? Before { get; init; }
}
