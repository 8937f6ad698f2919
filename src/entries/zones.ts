export {
  clientAddress,
  type InternalNetworksOptions,
  internalNetworks,
  type PeerCall,
  type SocketRequest,
  type TrustedProxies,
} from '../transports/zones.js';
