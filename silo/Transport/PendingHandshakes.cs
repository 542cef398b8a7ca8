using System.Net.Sockets;

namespace Cluster.Silo.Transport;

/// <summary>
/// Bounds the handshakes with peers that connected. Where all places are taken, the oldest handshake makes way: those that are half open, however many, keep out no
/// peer that answers. Thread-safe.
/// </summary>
/// <param name="limit">The most at once; each has up to 100 KiB.</param>
internal sealed class PendingHandshakes(int limit)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Place> _places = [];

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _places.Count;
            }
        }
    }

    /// <summary>Takes a place, given back by its disposal.</summary>
    public Place Enter(Socket socket)
    {
        var place = new Place(this, socket);
        Place? oldest = null;
        lock (_lock)
        {
            if (_places.Count >= limit)
            {
                oldest = _places.First!.Value;
                _places.RemoveFirst();
            }

            _places.AddLast(place);
        }

        oldest?.MakeWay();
        return place;
    }

    private void Leave(Place place)
    {
        lock (_lock)
        {
            _places.Remove(place);
        }
    }

    internal sealed class Place(PendingHandshakes all, Socket socket) : IDisposable
    {
        private volatile bool _madeWay;

        /// <summary>Whether its socket was closed for another.</summary>
        public bool MadeWay => _madeWay;

        public void MakeWay()
        {
            _madeWay = true;
            socket.Dispose();
        }

        public void Dispose() => all.Leave(this);
    }
}
