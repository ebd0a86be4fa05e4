//! Whose phone this is: the peer's address, or what a configured proxy says about it.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use ipnet::IpNet;

use crate::config::Keep;

/// The client's address. Forwarded headers are believed only as far as a chain of trusted proxies wrote them.
pub fn address(request: &HttpRequest, trusted: &[IpNet]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if trusted.is_empty() {
        return Some(peer);
    }
    let forwarded = request
        .headers()
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
        .collect::<Vec<_>>()
        .join(",");
    Some(walk_back(peer, &forwarded, trusted))
}

/// From the nearest hop outwards, while the hop is trusted: the first untrusted address is the client.
fn walk_back(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    for hop in forwarded.rsplit(',').map(str::trim) {
        if !trusted.iter().any(|network| network.contains(&client)) {
            break;
        }
        match hop_address(hop) {
            Some(address) => client = address.to_canonical(),
            None => break,
        }
    }
    client
}

/// Some proxies write the port beside the address.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let address = bare.unwrap_or(hop).parse().ok();
    address.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()))
}

/// The address as it is to be stored.
pub fn kept(address: IpAddr, keep: Keep) -> Option<String> {
    match keep {
        Keep::Full => Some(address.to_string()),
        Keep::Nothing => None,
        Keep::Truncated => {
            let bits = if address.is_ipv4() { 24 } else { 48 };
            IpNet::new(address, bits)
                .ok()
                .map(|network| network.network().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &str) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        walk_back(peer.parse().unwrap(), forwarded, &trusted).to_string()
    }

    #[test]
    fn forwarded_headers_are_believed_only_from_trusted_proxies() {
        assert_eq!(seen("203.0.113.9", "198.51.100.1"), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", "198.51.100.1"), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", "198.51.100.1, 10.0.0.2"), "198.51.100.1");
        // What the phone itself wrote stands further out than the first address we do not trust.
        assert_eq!(seen("10.0.0.1", "1.1.1.1, 198.51.100.1"), "198.51.100.1");
        assert_eq!(seen("10.0.0.1", ""), "10.0.0.1");
        assert_eq!(seen("10.0.0.1", "nonsense"), "10.0.0.1");
        assert_eq!(seen("::1", "2001:db8::7"), "2001:db8::7");
        assert_eq!(seen("10.0.0.1", "198.51.100.1:4711"), "198.51.100.1");
        assert_eq!(seen("::1", "[2001:db8::7]:443"), "2001:db8::7");
        assert_eq!(seen("::1", "[2001:db8::7]"), "2001:db8::7");
    }

    #[test]
    fn truncation_leaves_the_network() {
        let v4 = "203.0.113.9".parse().unwrap();
        let v6 = "2001:db8:1:2:3:4:5:6".parse().unwrap();
        assert_eq!(kept(v4, Keep::Truncated).unwrap(), "203.0.113.0");
        assert_eq!(kept(v6, Keep::Truncated).unwrap(), "2001:db8:1::");
        assert_eq!(kept(v4, Keep::Nothing), None);
    }
}
